// SPDX-License-Identifier: Apache-2.0

// foreign_reports DIRECTORY has go-sev-guest make authorities, endorsements and reports, and writes each as a directory
// of octets: report.bin, ark.der, and vcek.der with ask.der or vlek.der with asvk.der. Exit: 0 written, 1 not, 2 usage.
package main

import (
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	snptest "github.com/google/go-sev-guest/testing"
)

// machine is what a report is made for; `eax` is CPUID's family, model and stepping.
type machine struct {
	product string
	eax     uint32
}

var machines = []machine{{"Milan-B1", 0x00a00f11}, {"Genoa-B1", 0x00a10f11}}

const policy = 0x30000 // SMT allowed, debug not

var levels = kds.TCBParts{BlSpl: 4, TeeSpl: 1, SnpSpl: 23, UcodeSpl: 213}

// named is a name as AMD writes it. The builder's own have a serial number in it, which no certificate of AMD's has.
func named(commonName string) *pkix.Name {
	return &pkix.Name{
		Organization: []string{"Advanced Micro Devices"}, OrganizationalUnit: []string{"Engineering"},
		Country: []string{"US"}, Province: []string{"CA"}, Locality: []string{"Santa Clara"}, CommonName: commonName,
	}
}

// extensions are the builder's, with the chip id as AMD writes it: the builder puts it into an OCTET STRING of its own.
func extensions(chip []byte, product string) []pkix.Extension {
	made := snptest.CustomExtensions(levels, chip, "go-sev-guest", product)
	for i := range made {
		if made[i].Id.Equal(kds.OidHwid) {
			made[i].Value = chip
		}
	}
	return made
}

// authority certifies go-sev-guest's own test keys for a chip at `levels`, by its own builder.
func authority(m machine) (*snptest.AmdSigner, error) {
	now := time.Now()
	chip := make([]byte, abi.ChipIDSize)
	copy(chip, "made by go-sev-guest")
	builder := &snptest.AmdSignerBuilder{
		ProductName: m.product, CSPID: "go-sev-guest", ArkCreationTime: now, AskCreationTime: now,
		AsvkCreationTime: now, VcekCreationTime: now, VlekCreationTime: now,
	}
	line := kds.ProductLineOfProductName(m.product)
	builder.ArkCustom.Subject, builder.AskCustom.Subject = named("ARK-"+line), named("SEV-"+line)
	builder.AsvkCustom.Subject = named("SEV-VLEK-" + line)
	builder.VcekCustom.Subject, builder.VlekCustom.Subject = named("SEV-VCEK"), named("SEV-VLEK")
	builder.VcekCustom.Extensions = extensions(chip, m.product)
	builder.VlekCustom.Extensions = extensions(nil, m.product)
	return builder.TestOnlyCertChain()
}

// report has go-sev-guest encode and sign a report that says something in every field of a plain guest's.
func report(m machine, version uint32, key abi.ReportSigner, by *snptest.AmdSigner) ([]byte, error) {
	data := sha512.Sum512([]byte(fmt.Sprint(m.product, version, key)))
	raw := snptest.CreateRawReport(&snptest.TestReportOptions{
		ReportData: data[:], SignerInfo: abi.SignerInfo{SigningKey: key}, FMS: m.eax, Version: version,
	})
	said, err := abi.ReportToProto(raw[:abi.ReportSize])
	if err != nil {
		return nil, err
	}
	tcb, err := kds.ComposeTCBParts(levels)
	if err != nil {
		return nil, err
	}
	said.Policy, said.GuestSvn = policy, 3
	said.CurrentTcb, said.ReportedTcb = uint64(tcb), uint64(tcb)
	said.CommittedTcb, said.LaunchTcb = uint64(tcb), uint64(tcb)
	said.CurrentMajor, said.CurrentMinor, said.CurrentBuild = 1, 55, 29
	said.CommittedMajor, said.CommittedMinor, said.CommittedBuild = 1, 55, 29
	copy(said.Measurement, data[16:])
	if key == abi.VcekReportSigner {
		copy(said.ChipId, "made by go-sev-guest")
	}
	octets, err := abi.ReportToAbiBytes(said)
	if err != nil {
		return nil, err
	}
	r, s, err := by.Sign(abi.SignedComponent(octets))
	if err != nil {
		return nil, err
	}
	return octets, abi.SetSignature(r, s, octets)
}

func write(directory string, octets []byte, certificates map[string]*x509.Certificate) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for name, certificate := range certificates {
		if err := os.WriteFile(filepath.Join(directory, name), certificate.Raw, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(directory, "report.bin"), octets, 0o644)
}

func all(below string) error {
	for _, m := range machines {
		by, err := authority(m)
		if err != nil {
			return err
		}
		for _, version := range []uint32{2, 3, 5} {
			for key, certificates := range map[abi.ReportSigner]map[string]*x509.Certificate{
				abi.VcekReportSigner: {"ark.der": by.Ark, "ask.der": by.Ask, "vcek.der": by.Vcek},
				abi.VlekReportSigner: {"ark.der": by.Ark, "asvk.der": by.Asvk, "vlek.der": by.Vlek},
			} {
				octets, err := report(m, version, key, by)
				if err != nil {
					return err
				}
				name := fmt.Sprintf("%s-v%d-%s", kds.ProductLineOfProductName(m.product), version, key)
				if err := write(filepath.Join(below, name), octets, certificates); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: foreign_reports DIRECTORY")
		os.Exit(2)
	}
	if err := all(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "foreign_reports:", err)
		os.Exit(1)
	}
}
