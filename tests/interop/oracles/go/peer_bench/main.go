// SPDX-License-Identifier: Apache-2.0

// peer_bench DIRECTORY… times go-sev-guest on cases, in process, each question for at least a second, and writes Google
// Benchmark's JSON. A case is report.bin, vcek.der, ask.der, ark.der. Exit: 0 measured, 1 a case was refused, 2 usage.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	checkpb "github.com/google/go-sev-guest/proto/check"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/verify"
)

const least = 1100 * time.Millisecond

// peerCase is what a relying party holds, as octets: certificates, and the CA bundle as -product_key_path has it.
type peerCase struct {
	report, vcek []byte
	bundle       string
}

func read(directory string) (*peerCase, error) {
	var octets [4][]byte
	for i, name := range []string{"report.bin", "vcek.der", "ask.der", "ark.der"} {
		var err error
		if octets[i], err = os.ReadFile(filepath.Join(directory, name)); err != nil {
			return nil, err
		}
	}
	text := func(der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return &peerCase{report: octets[0], vcek: octets[1], bundle: text(octets[2]) + text(octets[3])}, nil
}

// whole reads and verifies everything: two RSA signatures (VCEK by ASK, ASK by ARK) and the report's.
func (c *peerCase) whole() error {
	report, err := abi.ReportToProto(c.report)
	if err != nil {
		return err
	}
	options, err := verify.RootOfTrustToOptions(&checkpb.RootOfTrust{
		ProductLine: kds.ProductLineFromFms(report.GetCpuid1EaxFms()), Cabundles: []string{c.bundle}, DisallowNetwork: true,
	})
	if err != nil {
		return err
	}
	return verify.SnpAttestation(&spb.Attestation{
		Report: report, CertificateChain: &spb.CertificateChain{VcekCert: c.vcek}}, options)
}

// alone verifies a report under a VCEK that is already believed.
func (c *peerCase) alone(vcek *x509.Certificate) error {
	return verify.SnpReportSignature(c.report, vcek)
}

type figure struct {
	Name       string  `json:"name"`
	RunType    string  `json:"run_type"`
	Iterations int     `json:"iterations"`
	RealTime   float64 `json:"real_time"`
	CPUTime    float64 `json:"cpu_time"`
	TimeUnit   string  `json:"time_unit"`
}

func timed(name string, cases int, once func(int) error) (*figure, error) {
	done, began := 0, time.Now()
	for time.Since(began) < least {
		for at := 0; at < cases; at++ {
			if err := once(at); err != nil {
				return nil, err
			}
		}
		done += cases
	}
	each := float64(time.Since(began).Nanoseconds()) / float64(done)
	return &figure{name, "iteration", done, each, each, "ns"}, nil
}

func measure(directories []string) ([]*figure, error) {
	var cases []*peerCase
	var held []*x509.Certificate
	for _, directory := range directories {
		c, err := read(directory)
		if err != nil {
			return nil, err
		}
		vcek, err := x509.ParseCertificate(c.vcek)
		if err != nil {
			return nil, err
		}
		if err := c.whole(); err != nil {
			return nil, fmt.Errorf("%s: %w", directory, err)
		}
		cases, held = append(cases, c), append(held, vcek)
	}
	whole, err := timed("go-sev-guest/from octets", len(cases), func(at int) error { return cases[at].whole() })
	if err != nil {
		return nil, err
	}
	alone, err := timed("go-sev-guest/chain held", len(cases), func(at int) error { return cases[at].alone(held[at]) })
	if err != nil {
		return nil, err
	}
	return []*figure{whole, alone}, nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: peer_bench DIRECTORY…")
		os.Exit(2)
	}
	figures, err := measure(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer_bench:", err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(map[string]any{"context": map[string]any{}, "benchmarks": figures}); err != nil {
		os.Exit(1)
	}
}
