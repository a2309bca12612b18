// SPDX-License-Identifier: Apache-2.0
#include "sim/launch.h"

#include <cstring>

#include "core/base/wire.h"
#include "sim/cpuid.h"
#include "sim/status.h"
#include "sim/tsc.h"

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
    {"POLICY bits 63:26 must be zero", [](const Machine&, std::uint64_t p) { return (p >> 26) != 0; }},
    {"POLICY bit 25 is reserved in firmware whose reports are older than version 5",
     [](const Machine& m, std::uint64_t p) { return (p & ~snp::policy_bits(m.report_version)) != 0; }},
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
constexpr std::size_t kFmsOffset = 0x008, kTscFactorOffset = 0x160;

void put(snp::Page& page, std::size_t offset, le32 value) {
  std::memcpy(page.data() + offset, &value, sizeof value);
}

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
  context.launch_mit_vector = machine.current_mit_vector;
  for (snp::Vmpck& key : context.vmpcks) TRY(entropy.fill(key.expose_mut()));
  TRY(entropy.fill(context.report_id));
  TRY(entropy.fill(context.vmrk.expose_mut()));
  return Launch(std::move(context));
}

Status Launch::check_state(const char* state_field, const char* asid_field) const {
  if (running_) return Error{Errc::firmware_refused, state_field, code_of(FirmwareStatus::invalid_guest_state)};
  if (!active_) return Error{Errc::firmware_refused, asid_field, code_of(FirmwareStatus::inactive)};
  return ok();
}

Status Launch::update(const LaunchPage& page) {
  TRY(check_state("SNP_LAUNCH_UPDATE guest state", "SNP_LAUNCH_UPDATE ASID"));
  return digest_.update(page);
}

Status Launch::update_large(const LargeLaunchPage& page) {
  TRY(check_state("SNP_LAUNCH_UPDATE guest state", "SNP_LAUNCH_UPDATE ASID"));
  return digest_.update_large(page);
}

Result<GuestContext> Launch::try_finish(const LaunchFinish& finish) {
  const std::optional<SignedIdBlock>& id_block = finish.id_block;
  if (id_block) TRY(check_reserved(*id_block));
  TRY(check_state("SNP_LAUNCH_FINISH guest state", "SNP_LAUNCH_FINISH ASID"));
  if (id_block) {
    const IdKeyDigests digests = TRY(check_id_block(*id_block, digest_.value(), context_.policy));
    context_.family_id = id_block->block.family_id;
    context_.image_id = id_block->block.image_id;
    context_.guest_svn = id_block->block.guest_svn;
    context_.id_key_digest = digests.id_key;
    context_.author_key_enabled = digests.author_key.has_value();
    context_.author_key_digest = digests.author_key.value_or(KeyDigest{});
  }
  context_.host_data = finish.host_data;
  context_.vcek_disabled = finish.vcek_disabled;
  context_.measurement = digest_.value();
  running_ = true;
  return std::move(context_);
}

GuestContext Launch::finish(const HostData& host_data) && {
  Result<GuestContext> running = try_finish({host_data, false, std::nullopt});
  return *std::move(running);
}

snp::Page GuestContext::secrets_page(const Machine& machine) const {
  snp::Page page{};
  put(page, 0, kSecretsPageVersion);
  put(page, kFmsOffset, cpuid(machine.authority->profile(), 1).eax);
  put(page, kTscFactorOffset, kTscFactor);
  std::uint8_t* at = page.data() + snp::kSecretsVmpckOffset;
  for (const snp::Vmpck& key : vmpcks) {
    std::memcpy(at, key.expose().data(), key.expose().size());
    at += key.expose().size();
  }
  return page;
}

}  // namespace attestbed::sim
