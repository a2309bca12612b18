// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/token_claims.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/key_binding.h"
#include "mock-kbs/tee_pubkey.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// PLATFORM_INFO (56860): bit 0 SMT_EN, bit 1 TSME_EN.
constexpr std::uint64_t kPlatformSmt = 1, kPlatformTsme = 2;

ordered_json snp_claims(const verify::VerifiedReport& verified) {
  const snp::RawReport& report = verified.report();
  const std::uint64_t policy = report.policy;
  const std::uint64_t platform = report.platform_info;
  const snp::Tcb tcb = snp::decode_tcb(verified.vek().product(), report.reported_tcb);
  return {
      {"policy_abi_major", (policy >> 8) & 0xff},
      {"policy_abi_minor", policy & 0xff},
      {"policy_smt_allowed", (policy & snp::kPolicySmtAllowed) != 0},
      {"policy_migrate_ma", (policy & snp::kPolicyMigrateMa) != 0},
      {"policy_debug_allowed", (policy & snp::kPolicyDebug) != 0},
      {"policy_single_socket", (policy & snp::kPolicySingleSocket) != 0},
      {"reported_tcb_bootloader", tcb.boot_loader},
      {"reported_tcb_tee", tcb.tee},
      {"reported_tcb_snp", tcb.snp},
      {"reported_tcb_microcode", tcb.microcode},
      {"platform_tsme_enabled", (platform & kPlatformTsme) != 0},
      {"platform_smt_enabled", (platform & kPlatformSmt) != 0},
      {"measurement", verify::hex_text(report.measurement)},
      {"chip_id", verify::hex_text(report.chip_id)},
  };
}

// What Trustee's tokens do not have: by which entry, in which shape of it, this broker judged.
constexpr char kJudgedBy[] = "attestbed.judged-by";

ordered_json annotated_evidence(const Claims& claims) {
  ordered_json evidence;
  if (claims.accepted.report) {
    const snp::RawReport& report = claims.accepted.report->report();
    evidence["snp"] = snp_claims(*claims.accepted.report);
    evidence["report_data"] = verify::hex_text(report.report_data);
    evidence["init_data"] = verify::hex_text(report.host_data);
  } else {
    evidence["sample"] = {{"svn", claims.accepted.sample.svn}};
    evidence["report_data"] = verify::hex_text(claims.accepted.sample.report_data);
  }
  evidence["init_data_claims"] = nullptr;
  evidence["runtime_data_claims"] = json::parse(binding_text(claims.key, claims.challenge));
  return evidence;
}

Refusal invalid(const Members& from, const char* member, const char* expected) {
  return {Errc::token_invalid, from.path_of(member), expected, "another"};
}

template <class Octets>
Checked<Octets> octets_of_hex(const Members& from, const char* member) {
  const std::string_view hex = TRY(from.text(member));
  std::string octets;
  Octets value;
  if (!posix::from_hex(hex, octets) || octets.size() != value.size()) {
    return invalid(from, member, "as many octets in hex as it has");
  }
  std::ranges::copy(bytes_of(octets), value.begin());
  return value;
}

}  // namespace

Checked<ordered_json> ear_payload(const Claims& claims, verify::Time issued, std::chrono::seconds lifetime) {
  const std::int64_t now = issued.time_since_epoch().count();
  ordered_json cpu = {
      {"ear.status", tier_name(claims.accepted.appraisal.status())},
      {"ear.trustworthiness-vector", trust_vector(claims.accepted.appraisal)},
      {"ear.appraisal-policy-id", "default"},
      {"ear.trustee.identifiers", {{"validated", ordered_json::object()}}},
      {"ear.veraison.annotated-evidence", annotated_evidence(claims)},
  };
  if (claims.accepted.entry) {
    const crypto::Sha256Digest judged_by = TRY(claims.accepted.entry->judged_by());
    cpu[kJudgedBy] = verify::hex_text(judged_by);
  }
  return ordered_json{
      {"eat_profile", "tag:github.com,2024:confidential-containers/Trustee"},
      {"iat", now},
      {"ear.verifier-id", {{"developer", "attestbed"}, {"build", "mock-kbs"}}},
      {"submods", {{"cpu0", cpu}}},
      {"exp", now + lifetime.count()},
      {"iss", "attestbed mock-kbs"},
  };
}

Checked<Grant> grant_of(const json& payload) {
  const Members claims = TRY(Members::of(payload, "token"));
  const Members submods = TRY(claims.object("submods"));
  const Members cpu = TRY(submods.object("cpu0"));
  Grant grant;
  const std::string_view status = TRY(cpu.text("ear.status"));
  const std::optional<TrustTier> tier = tier_named(status);
  if (!tier) return invalid(cpu, "ear.status", "a tier of EAR");
  grant.status = *tier;
  const Members evidence = TRY(cpu.object("ear.veraison.annotated-evidence"));
  grant.tee = evidence.find("sample") == nullptr ? Tee::snp : Tee::sample;
  if (grant.tee == Tee::snp) {
    const Members snp = TRY(evidence.object("snp"));
    grant.measurement = TRY(octets_of_hex<snp::Measurement>(snp, "measurement"));
    grant.judged_by = TRY(octets_of_hex<crypto::Sha256Digest>(cpu, kJudgedBy));
  }
  const Members runtime = TRY(evidence.object("runtime_data_claims"));
  const Members key = TRY(runtime.object("tee-pubkey"));
  grant.key = TRY(decode_tee_pubkey(key));
  const std::string_view nonce = TRY(runtime.text("nonce"));
  const std::vector<std::uint8_t> octets = TRY(octets_of_base64(Base64::standard, nonce, runtime.path_of("nonce")));
  const protocol::Challenge challenge = TRY(checked(protocol::Challenge::make(octets)));
  grant.attestation = TRY(checked(protocol::attestation_id(challenge)));
  return grant;
}

}  // namespace attestbed::kbs
