// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/explain_causes.h"

#include <algorithm>

#include "tools/launch/shell_word.h"

namespace attestbed::tools {
namespace {

constexpr char kShowReport[] = "attestbed show {report}";
constexpr char kShowPolicy[] = "compare `attestbed show {report}` with {policy}";
constexpr char kRequestAnew[] = "request the report anew in the guest, and copy it in binary (1184 octets, no text)";
constexpr char kFetchVcek[] = "{fetch vcek}";
constexpr char kFetchCrl[] = "{fetch crl}";
constexpr const char* kWhicheverCheck = nullptr;

// clang-format off
constexpr Cause kCauses[] = {
    // Is it a report?
    {"form", Errc::bad_length, "the file is no bare ATTESTATION_REPORT: a whole MSG_REPORT_RSP, hex or base64 text, or a report with its certificates behind it", "ls -l {report}   # must be 1184 octets; `head -c 1184` cuts off what follows a report"},
    {"form", Errc::report_version, "firmware newer than this verifier, or another file than a report", kShowReport},
    {"form", Errc::report_reserved, "the report was damaged on its way, or its version field was changed", kRequestAnew},
    {"form", Errc::report_policy_bits, "no firmware launches a guest with such a POLICY: the report is damaged or made up", kRequestAnew},

    // Whose certificate?
    {"selection", Errc::report_unsigned, "the host masks the chip's key (MASK_CHIP_KEY) and has loaded no VLEK, so that the firmware signed nothing", "have the host clear MASK_CHIP_KEY (SNP_CONFIG) or load a VLEK, then request the report anew"},
    {"selection", Errc::certificate_missing, "--certs holds no certificate of the kind that signed this report", kFetchVcek},
    {"selection", Errc::vek_extension, "the only candidates are damaged, or were never VEKs of AMD's", "attestbed show {certs}"},
    {"selection", Errc::product_unknown, "a processor newer than this verifier", kShowReport},
    {"selection", Errc::product_mismatch, "the certificate is of another product's machine", kFetchVcek},
    {"selection", Errc::chip_id_mismatch, "the certificate is another machine's: the guest moved, or the cache is another host's", kFetchVcek},
    {"selection", Errc::tcb_mismatch, "the firmware was updated (or went back) since the certificate was fetched: every TCB has its own", kFetchVcek},

    // Who vouches for it?
    {"names", Errc::vek_name, "subject or issuer are not what AMD writes: a self-made certificate, or one of another kind", "attestbed show {certs}"},
    {"chain", Errc::certificate_missing, "the ASK or ASVK between VEK and root was not given, and it is none of AMD's that ship with this program", "add the intermediate to --certs: AMD's is in the cert_chain file, snp-sim's is ask.pem in its CA directory"},
    {"chain", Errc::root_untrusted, "the chain ends in a root that you did not name: simulated hardware without --root, or the wrong product's root", "if you trust a simulated machine, name its root: --root CA-DIRECTORY/ark.pem; else find out who made these certificates"},
    {"chain", Errc::chain_signature, "the certificate was changed after it was signed, or another key of the same name signed it", kFetchVcek},
    {"constraints", Errc::chain_constraint, "a certificate stands where its own words do not let it: no CA, another key type, another CRL", "attestbed show {certs}"},
    {"dates", Errc::chain_expired, "a VLEK lasts a year and a VCEK seven; or this machine's clock is ahead", "date -u; then fetch a new certificate, or judge as of the time of the report with --at"},
    {"dates", Errc::chain_not_yet_valid, "this machine's clock is behind, or --at lies before the certificate", "date -u   # then set the clock, or give --at"},
    {"extensions", Errc::vek_extension, "AMD's extensions are not as AMD writes them: a damaged certificate, or one of a CA that is not AMD's", "attestbed show {certs}"},

    // Did that key sign this report?
    {"signing key", Errc::report_unsigned, "SIGNING_KEY says that nothing was signed", kShowReport},
    {"signing key", Errc::certificate_missing, "the report is signed by the other kind of key than the certificate's", kFetchVcek},
    {"product", Errc::product_unknown, "a processor newer than this verifier", kShowReport},
    {"product", Errc::product_mismatch, "the certificate is of another product's machine", kFetchVcek},
    {"reported tcb", Errc::tcb_mismatch, "the firmware was updated (or went back) since the certificate was fetched: every TCB has its own", kFetchVcek},
    {"chip id", Errc::chip_id_mismatch, "the certificate is another machine's", kFetchVcek},
    {"signature", Errc::signature_invalid, "the report was changed after it was signed, or the chip's key is another than its certificate's", kRequestAnew},
    {"tcb order", Errc::report_reserved, "octets of a TCB version that no firmware of this product sets", kShowReport},
    {"tcb order", Errc::tcb_order, "no firmware reports more than it committed, or commits more than it runs", kShowReport},

    // Does it fit together?
    {"consistency", Errc::report_contradiction, "whoever signed this is no firmware, or firmware with a defect: it knows better than to say both", kShowReport},
    {"consistency", Errc::launch_policy_broken, "a report that no firmware made; or, of a firmware version, a host that went back to an older one under a running guest", kShowReport},

    // Does a list revoke the chain?
    {"revocation", Errc::crl_missing, "none of the files that --crl names is a list of this chain's root", kFetchCrl},
    {"revocation", Errc::crl_signature, "the list was changed, or another key of the root's name signed it", kFetchCrl},
    {"revocation", Errc::crl_expired, "the list was not renewed in time, or this machine's clock or --at is off", kFetchCrl},
    {"revocation", Errc::certificate_revoked, "AMD no longer stands behind the ASK or ASVK: whoever has its key can make any certificate", "trust nothing of this chain; ask the machine's provider for certificates of the successor"},

    // What a KDS did not give, to whichever check needed it.
    {kWhicheverCheck, Errc::kds_offline, "--offline, and the cache lacks this answer", "run the same once with {kds options} and without --offline, where there is a network"},
    {kWhicheverCheck, Errc::kds_unknown, "the KDS knows no such chip at this TCB: simulated hardware, or a host that reports a TCB it never had", "compare CHIP_ID and REPORTED_TCB in `attestbed show {report}` with the machine's; {another kds}"},
    {kWhicheverCheck, Errc::kds_busy, "the KDS throttles: AMD's answers the same request about once in ten seconds", "wait a minute and run the same with --kds-cache, so that it need not be asked again"},
    {kWhicheverCheck, Errc::kds_failed, "an outage of the KDS, or of what stands before it: nothing is wrong with the request", "run the same later; meanwhile a certificate from elsewhere is as good: --certs, or the --kds-cache of another machine"},
    {kWhicheverCheck, Errc::kds_unreachable, "no network, no name service, a firewall, or the wrong --kds", "{try kds}"},
    {kWhicheverCheck, Errc::kds_untrusted, "no trusted root vouches for the TLS certificate: an interceptor, another host, or a private KDS", "name its root with --kds-ca if you know it; the certificate chain is judged by AMD's own root in any case"},
    {kWhicheverCheck, Errc::kds_timeout, "the KDS did not answer in time", "run the same with a longer --kds-timeout"},
    {kWhicheverCheck, Errc::kds_malformed, "something else than a KDS answers there: a login page, a proxy, another service", "{try kds}"},
    {kWhicheverCheck, Errc::kds_chip_masked, "the host masks CHIP_ID (MASK_CHIP_ID), and a KDS finds certificates by it", "get the VCEK from the host (extended guest request), and name it with --certs"},
    {kWhicheverCheck, Errc::crl_malformed, "what the KDS gave is no list", kFetchCrl},
    {kWhicheverCheck, Errc::certificate_malformed, "what the KDS gave is no certificate", kFetchVcek},
    {kWhicheverCheck, Errc::bad_length, "the CHIP_ID is longer than those of the product that the report names", kShowReport},
    {kWhicheverCheck, Errc::internal, "a defect of this program or its libraries, or no memory", "report it, with what `attestbed --version` prints"},

    // Is it what the policy asks for?
    {"product", Errc::product_refused, "the guest runs on another product than the policy lists", "use a listed machine, or add the product to machine.products in {policy}"},
    {"signing key", Errc::signing_key_refused, "the host has loaded a VLEK and the policy wants a VCEK, or the other way round", "request the report with the other key (KEY_SEL), or change machine.signing_keys in {policy}"},
    {"csp id", Errc::signing_key_refused, "the VLEK belongs to a provider that the policy does not list, or no VLEK signed", "compare CSP_ID in `attestbed show {certs}` with machine.csp_ids in {policy}"},
    {"masked chip", Errc::chip_id_masked, "the provider hides its machines from guests (MASK_CHIP_ID), as is usual where a VLEK signs", "set machine.allow_masked_chip = true in {policy} if any machine of this provider will do"},
    {"chip", Errc::chip_refused, "the guest was started on, or moved to, a machine that is not in the list", "compare CHIP_ID in `attestbed show {report}` with machine.chip_ids in {policy}"},
    {"report version", Errc::report_too_old, "the host's firmware is older than the one that first made such reports", "update the host's firmware, or lower firmware.minimum_report_version in {policy}"},
    {"vmpl", Errc::vmpl_too_high, "something less privileged than the policy wants asked for the report: an OS under an SVSM, for example", "request the report at a lower VMPL, or raise guest.max_vmpl in {policy}"},
    {"exact vmpl", Errc::vmpl_too_high, "another privilege level than the policy names asked for the report", "request the report at the VMPL of guest.vmpl in {policy}"},
    {"debug", Errc::debug_enabled, "the guest was launched with POLICY bit 19: its host can read and write its memory", "launch the guest without the debug bit: the usual policy is 0x30000"},
    {"migration agent", Errc::policy_mismatch, "the guest was launched with POLICY bit 18: a migration agent may export its memory", "launch the guest without bit 18, or set guest_policy.allow_migration_agent in {policy}"},
    {"smt", Errc::policy_mismatch, "the guest's POLICY lets it run beside a sibling thread", "launch with POLICY bit 16 clear (on a host without SMT), or allow guest_policy.allow_smt in {policy}"},
    {"cxl", Errc::policy_mismatch, "the guest's POLICY admits CXL devices", "launch with POLICY bit 21 clear, or allow guest_policy.allow_cxl in {policy}"},
    {"single socket", Errc::policy_mismatch, "the guest's POLICY admits more than one socket", "launch with POLICY bit 20 set"},
    {"aes-256-xts", Errc::policy_mismatch, "the guest's POLICY does not insist on AES-256-XTS for its memory", "launch with POLICY bit 22 set: needs a machine that has it"},
    {"rapl", Errc::policy_mismatch, "the guest's POLICY does not insist on RAPL being off", "launch with POLICY bit 23 set: needs a host with RAPL disabled"},
    {"ciphertext hiding", Errc::policy_mismatch, "the guest's POLICY does not insist on ciphertext hiding", "launch with POLICY bit 24 set: needs a host that has it on"},
    {"page swap", Errc::policy_mismatch, "the guest's POLICY lets the host swap its pages", "launch with POLICY bit 25 set: needs firmware that makes version 5 reports"},
    {"abi", Errc::policy_mismatch, "the guest was launched for older firmware than the policy demands", "launch with a higher ABI_MAJOR.ABI_MINOR in POLICY bits 15:0"},
    {"platform smt", Errc::platform_refused, "simultaneous multithreading is on in this machine", "turn SMT off in the machine's setup, or allow platform.allow_smt in {policy}"},
    {"platform tsme", Errc::platform_refused, "transparent memory encryption is on in this machine", "turn TSME off in the machine's setup, or allow platform.allow_tsme in {policy}"},
    {"platform ecc", Errc::platform_refused, "the machine has memory without ECC, or has it off", "use a machine with ECC memory"},
    {"platform rapl", Errc::platform_refused, "power readings (RAPL) are on: a side channel", "have the host disable RAPL (SNP_INIT_EX)"},
    {"platform ciphertext hiding", Errc::platform_refused, "the host did not turn ciphertext hiding on, or the product has none", "have the host enable it (SNP_INIT_EX); Genoa and later"},
    {"platform alias check", Errc::platform_refused, "the firmware has not checked memory for aliases since its last reset (or is too old to)", "update the host's firmware and reset the machine"},
    {"platform sev-tio", Errc::platform_refused, "trusted I/O is on in this machine", "allow platform.allow_sev_tio in {policy} if devices may be trusted"},
    {"platform undocumented bits", Errc::platform_refused, "bits without public meaning are set; real Turin machines set bit 6", "allow platform.allow_undocumented_bits in {policy} after asking the vendor"},
    {"tcb", Errc::tcb_too_low, "the host has not updated its firmware or microcode, or holds the reported TCB back (SNP_CONFIG)", "update the host, or lower firmware.minimum_tcb in {policy} knowingly"},
    {"launch tcb", Errc::tcb_too_low, "the guest was launched before the host's update", "launch the guest anew on the updated host"},
    {"firmware version", Errc::firmware_too_old, "the host runs older SEV firmware than the policy demands", "update the host's firmware, or lower firmware.minimum_version in {policy}"},
    {"firmware build", Errc::firmware_too_old, "the host runs an older build of the SEV firmware", "update the host's firmware, or lower firmware.minimum_build in {policy}"},
    {"provisional firmware", Errc::firmware_provisional, "the host loaded newer firmware and did not commit it: it can still go back", "have the host run SNP_COMMIT, or allow firmware.allow_provisional in {policy}"},
    {"launch mitigations", Errc::mitigation_missing, "the firmware that launched the guest lacked a mitigation; before version 5 reports state none", "update the host's firmware and launch the guest anew"},
    {"current mitigations", Errc::mitigation_missing, "the running firmware lacks a mitigation; before version 5 reports state none", "update the host's firmware"},
    {"measurement", Errc::measurement_unknown, "another firmware, kernel, initrd or command line was launched, or another number of vCPUs", "attestbed measure --help   # compute what you expect, and compare with `attestbed show {report}`"},
    {"host data", Errc::host_data_mismatch, "the host launched the guest with other HOST_DATA: another configuration, or none", kShowPolicy},
    {"report data", Errc::report_data_mismatch, "the report answers another request: another key, another nonce, or a replay", "request a report for this very challenge"},
    {"guest svn", Errc::guest_svn_too_low, "an older image of the guest was launched, or one without an ID block", kShowPolicy},
    {"family id", Errc::identity_mismatch, "another family's ID block, or none", kShowPolicy},
    {"image id", Errc::identity_mismatch, "another image's ID block, or none", kShowPolicy},
    {"report id", Errc::identity_mismatch, "another instance of the guest made the report: each launch has its own", kShowPolicy},
    {"report id of the migration agent", Errc::identity_mismatch, "another migration agent, or none (all ff)", kShowPolicy},
    {"id key", Errc::id_key_untrusted, "the guest was launched without an ID block, or with one of a key that nobody of the policy's vouches for", "compare ID_KEY_DIGEST in `attestbed show {report}` with [keys] in {policy}"},
    {"author key", Errc::author_key_untrusted, "the ID key was signed by no author key, or by one that the policy does not list", "compare AUTHOR_KEY_DIGEST in `attestbed show {report}` with [keys] in {policy}"},
};
// clang-format on

}  // namespace

const Cause* cause_of(std::string_view check, Errc code) {
  const auto* const row = std::ranges::find_if(kCauses, [&](const Cause& each) {
    return code == each.code && (each.check == kWhicheverCheck || check == each.check);
  });
  return row == std::end(kCauses) ? nullptr : row;
}

std::string filled_in(std::string_view next, const NextPlaces& places) {
  const struct {
    std::string_view name;
    const std::string& words;
  } kPlaces[] = {{"{report}", places.report},
                 {"{certs}", places.certs},
                 {"{root}", places.root},
                 {"{policy}", places.policy},
                 {"{fetch vcek}", places.fetch_vcek},
                 {"{fetch crl}", places.fetch_crl},
                 {"{try kds}", places.try_kds},
                 {"{kds options}", places.kds_options},
                 {"{another kds}", places.another_kds}};
  std::string out;
  while (!next.empty()) {
    const auto* const place =
        std::ranges::find_if(kPlaces, [&](const auto& each) { return next.starts_with(each.name); });
    if (place == std::end(kPlaces)) {
      out += next.front();
      next.remove_prefix(1);
    } else {
      out += place->words;
      next.remove_prefix(place->name.size());
    }
  }
  return out;
}

std::string shell_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + launch::shell_word(word);
  return text;
}

}  // namespace attestbed::tools
