// SPDX-License-Identifier: Apache-2.0
#include "sim/launch.h"

#include <cstring>

#include "core/base/wire.h"
#include "sim/status.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kPolicyRaplDisabled = 1ULL << 23, kPolicyCiphertextHiding = 1ULL << 24;
constexpr std::uint64_t kPlatformSmt = 1ULL << 0, kPlatformRaplDisabled = 1ULL << 3,
                        kPlatformCiphertextHiding = 1ULL << 4;

struct PolicyRule {
  const char* where;
  bool (*broken)(const Machine&, std::uint64_t policy);
};

unsigned minimum_abi(std::uint64_t policy) {
  return static_cast<unsigned>(policy & 0xffff);
}

constexpr PolicyRule kPolicyRules[] = {
    {"POLICY bit 17 must be one", [](const Machine&, std::uint64_t p) { return (p & snp::kPolicyReservedOne) == 0; }},
    {"POLICY bits 63:26 must be zero",
     [](const Machine&, std::uint64_t p) { return (p & ~snp::kPolicyDefinedBits) != 0; }},
    {"POLICY ABI minimum is above the firmware's version",
     [](const Machine& m, std::uint64_t p) {
       return minimum_abi(p) > (static_cast<unsigned>(m.current_version.major) << 8 | m.current_version.minor);
     }},
    {"POLICY forbids SMT, which the machine has on",
     [](const Machine& m, std::uint64_t p) {
       return (m.platform_info & kPlatformSmt) != 0 && (p & snp::kPolicySmtAllowed) == 0;
     }},
    {"POLICY MIGRATE_MA without a migration agent",
     [](const Machine&, std::uint64_t p) { return (p & snp::kPolicyMigrateMa) != 0; }},
    {"POLICY RAPL_DIS, but the machine has RAPL on",
     [](const Machine& m, std::uint64_t p) {
       return (p & kPolicyRaplDisabled) != 0 && (m.platform_info & kPlatformRaplDisabled) == 0;
     }},
    {"POLICY CIPHERTEXT_HIDING_DRAM, but the machine has it off",
     [](const Machine& m, std::uint64_t p) {
       return (p & kPolicyCiphertextHiding) != 0 && (m.platform_info & kPlatformCiphertextHiding) == 0;
     }},
};

constexpr std::uint32_t kSecretsPageVersion = 3;

}  // namespace

Result<Launch> Launch::start(const Machine& machine, std::uint64_t policy, Entropy& entropy) {
  for (const PolicyRule& rule : kPolicyRules) {
    if (rule.broken(machine, policy)) {
      return Error{Errc::firmware_refused, rule.where, code_of(FirmwareStatus::policy_failure)};
    }
  }
  GuestContext context;
  context.policy = policy;
  context.launch_tcb = machine.current_tcb;
  for (snp::Vmpck& key : context.vmpcks) TRY(entropy.fill(key.expose_mut()));
  TRY(entropy.fill(context.report_id));
  return Launch(std::move(context));
}

GuestContext Launch::finish(const HostData& host_data) && {
  context_.host_data = host_data;
  context_.measurement = digest_.value();
  return std::move(context_);
}

snp::Page GuestContext::secrets_page(const Machine& machine) const {
  snp::Page page{};
  const le32 version = kSecretsPageVersion;
  std::memcpy(page.data(), &version, sizeof version);
  const ProductProfile& profile = machine.authority->profile();
  // CPUID 1 EAX: extended family and model beside base ones.
  const std::uint32_t model = profile.cpuid_model;
  const le32 fms = static_cast<std::uint32_t>(profile.cpuid_family - 0x0f) << 20 | (model >> 4) << 16 | 0x0fU << 8 |
                   (model & 0x0f) << 4 | profile.cpuid_step;
  std::memcpy(page.data() + 8, &fms, sizeof fms);
  std::uint8_t* at = page.data() + snp::kSecretsVmpckOffset;
  for (const snp::Vmpck& key : vmpcks) {
    std::memcpy(at, key.expose().data(), key.expose().size());
    at += key.expose().size();
  }
  return page;
}

}  // namespace attestbed::sim
