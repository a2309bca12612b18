// SPDX-License-Identifier: Apache-2.0
#include "bench/targets.h"

namespace attestbed::bench {
namespace {

constexpr std::string_view kBench = "bench", kPeers = "bench-peers", kVm = "bench-vm", kLoad = "bench-load";

constexpr Target kTargets[] = {
    {kBench, "guest.cpu", "x own P-521 keygen + ECDH", Bound::at_most, 1.10,
     "thread CPU of attest() less that inside GuestRequestPort::call, over that of the same key generation and ECDH "
     "back to back; host replayed from a vector; interleaved; the value is the median of the rounds' ratios"},
    {kBench, "guest.binding", "x svsm-sha512", Bound::at_most, 1.05,
     "guest.cpu of an attempt that states kbs-sha384 with P-521, over that of one with the default terms; interleaved; "
     "the value is the median of the rounds' ratios"},
    {kBench, "guest.stack", "octets", Bound::at_most, 16 * 1024,
     "deepest octet that attest() changed on a painted thread stack: core with GuestChannel, decoders and encoders "
     "over a null crypto back end; line and firmware only copy what was prepared; the most of connected and serial "
     "lines, default and stated terms, plain and nested answers"},
    {kBench, "guest.allocations", "calls per attest()", Bound::at_most, 0,
     "malloc family and operator new in the thread of attest(), interposed; calls whose return address is in "
     "libcrypto, and those inside GuestRequestPort::call, are left out; the most of connected and serial lines, "
     "default and stated terms, first and second attempts"},
    {kBench, "guest.decoders", "x nlohmann + EVP_DecodeBlock", Bound::at_least, 5,
     "thread CPU of nlohmann::json::parse and EVP_DecodeBlock to the same typed fields, over ours with the copy that "
     "decoding in place needs; interleaved; both answers of the host, as recorded and with a secret of 32 KiB: the "
     "smaller ratio counts"},
    {kBench,
     "uart.intercepted_per_octet",
     "instructions per octet",
     Bound::at_most,
     0.25,
     "intercepted instructions of one attestation over the 16550 model, by the octets on the line both ways; polls "
     "that find nothing are counted apart; the goal is one eighth of two per octet",
     {"uart/intercepted instructions of an attestation", "per_octet"}},
    {kBench,
     "guest_message.unsigned_round_trips",
     "per second",
     Bound::at_least,
     100'000,
     "MSG_REPORT_REQ of a machine that masks its chip key, in CPU time of one thread: sealed and opened by "
     "GuestChannel, "
     "opened, judged, answered without a signature and sealed by sim::Firmware in the same process",
     {"guest_message/round trip, unsigned report", "per_second"}},
    {kBench, "verify.certificates_parsed", "x (3 RSA-4096 PSS + P-384)", Bound::at_most, 1.10,
     "thread CPU of verify_chain + verify_report over that of four raw EVP verifications; ours makes three, since a "
     "root's own signature was checked when it became trusted: the ratio to those three is given too; interleaved"},
    {kBench, "verify.from_der", "x (3 RSA-4096 PSS + P-384)", Bound::at_most, 1.5,
     "thread CPU of the same from octets: report, VCEK, ASK and ARK parsed, and the ARK made a trusted root, over "
     "that of four raw EVP verifications; ours makes all four; interleaved"},
    {kBench, "verify.chain_cached", "x P-384", Bound::at_most, 1.10,
     "thread CPU of verify_report over that of one raw EVP verification; interleaved"},
    {kBench, "sim.make_report", "x P-384 signature", Bound::at_most, 1.10,
     "thread CPU of sim::make_report, a report of version 5 with another REPORT_DATA each time, over that of one raw "
     "EVP "
     "signature of 672 octets with a resident key; interleaved"},
    {kBench, "proxy.guests_64", "x 64 x CPU per attestation / cores", Bound::at_most, 1.3,
     "(t(64) - t(1)) in that unit: guests with their simulated firmware as threads beside one proxy::Server, a new "
     "unix socket line per attempt; its back-end answers from a recording after 50 ms of waiting and without CPU of "
     "its own, as a broker elsewhere does; CPU is the process's during an attempt of one guest"},
    {kBench, "key.p256_keygen", "x raw EVP", Bound::at_most, 1.05,
     "thread CPU of EcKey::generate over EVP_PKEY_generate and reading the point; interleaved"},
    {kBench, "key.p256_ecdh", "x raw EVP", Bound::at_most, 1.05,
     "thread CPU of ecdh() from octets over EVP import of the peer and derivation, both without EVP's second check of "
     "the point; interleaved"},
    {kBench, "key.p521_keygen", "x raw EVP", Bound::at_most, 1.05, "as key.p256_keygen"},
    {kBench, "key.p521_ecdh", "x raw EVP", Bound::at_most, 1.05, "as key.p256_ecdh"},
    {kLoad, "load.proxy_idle_lines", "MiB", Bound::at_most, 32,
     "resident memory of attest-proxy with 256 lines that are connected and have sent nothing; http broker"},
    {kLoad, "load.kbs_of_floor", "of the floor's rate", Bound::at_least, 0.7,
     "CPU that an attestation cannot do without, over all CPU of mock-kbs by attestations: certificates parsed, chain "
     "and report verified, a P-521 key and its exchange, an ES256 signature, in one thread; proxies keep the "
     "connection from attest to resource"},
    {kVm, "vm.image", "MiB", Bound::at_most, 20,
     "kernel and compressed initramfs of Debian's cloud kernel, simulated /dev/sev-guest included"},
    {kVm, "vm.start_to_secret", "s", Bound::at_most, 6,
     "from QEMU's start to the guest's result, on this machine's clock; q35 under TCG, over COM3; median"},
    {kVm, "vm.attestation", "s", Bound::at_most, 1,
     "of that the phases of attest(), by the guest's clock: P-521 key, report from the simulated firmware on the host, "
     "broker; median"},
    {kVm, "vm.raw_port_instructions", "instructions per octet", Bound::at_most, 0.25,
     "port instructions that attest-guest executes over COM3 without the kernel's driver, by the octets on the line "
     "both ways, polls that find nothing apart; the goal is one eighth of two per octet; median"},
    {kVm, "vm.raw_port_instructions_and_polls", "instructions per octet", Bound::at_most, 0.25,
     "the same with the polls that find nothing: how many there are hangs on how long host and broker take; median"},
    {kPeers, "peers.go_sev_guest", "x ours, from octets", Bound::at_least, 1,
     "time of go-sev-guest 0.15.0 to read and verify a report and its certificates from octets, over ours, on the same "
     "reports in turns; Go's own crypto makes two RSA-4096 PSS and one P-384 verification, ours by OpenSSL three and "
     "one"},
    {kPeers, "peers.go_sev_guest_report", "x ours, chain held", Bound::at_least, 1,
     "the same for a report alone, whose VCEK is believed: one P-384 verification each"},
    {kPeers, "peers.sev_openssl", "x ours, from octets", Bound::at_least, 1,
     "as peers.go_sev_guest, of the crate sev 8.0.0 over OpenSSL: three and one"},
    {kPeers, "peers.sev_openssl_report", "x ours, chain held", Bound::at_least, 1, "as peers.go_sev_guest_report"},
    {kPeers, "peers.sev_rustcrypto", "x ours, from octets", Bound::at_least, 1,
     "as peers.sev_openssl, of the crate over RustCrypto"},
    {kPeers, "peers.sev_rustcrypto_report", "x ours, chain held", Bound::at_least, 1, "as peers.go_sev_guest_report"},
};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace attestbed::bench
