// SPDX-License-Identifier: Apache-2.0
#include "bench/guest.h"

#include "sim/seeded_entropy.h"

namespace attestbed::bench {
namespace {

/// machine is the same for all guests: its authority is only read.
const std::optional<sim::Machine>& machine() {
  static const std::optional<sim::Machine> made = []() -> std::optional<sim::Machine> {
    auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    if (!authority) return std::nullopt;
    return sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(*std::move(authority)));
  }();
  return made;
}

}  // namespace

bool Guest::launch() {
  if (!machine()) return false;
  sim::SeededEntropy launch_entropy(1, "bench");
  auto launch = sim::Launch::start(*machine(), sim::kDefaultPolicy, launch_entropy);
  if (!launch) return false;
  firmware_.emplace(*machine(), (*std::move(launch)).finish({}));
  port_.emplace(*firmware_, enter_, leave_);
  auto key = snp::vmpck_from_secrets_page(firmware_->guest().secrets_page(*machine()), 0);
  if (!key) return false;
  channel_.emplace(*std::move(key), *port_, clock_, *pages_, snp::GuestChannel::Options{});
  return true;
}

bool Guest::releases(Transport& wire, const AttestConfig& config) {
  const Platform platform{.wire = wire, .reports = *channel_, .entropy = entropy_, .clock = clock_};
  const Result<Released> released = attest(platform, config, *workspace_);
  return released && equal_ct(released->secret, aproxy_case().plaintext);
}

}  // namespace attestbed::bench
