// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "bench/replayed.h"
#include "core/attest.h"
#include "core/posix/clock.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware.h"

namespace attestbed::bench {

/// WatchedPort tells when the guest is inside the firmware: what happens there is not the guest's doing.
class WatchedPort final : public snp::GuestRequestPort {
 public:
  WatchedPort(snp::GuestRequestPort& next, std::function<void()> enter, std::function<void()> leave)
      : next_(next), enter_(std::move(enter)), leave_(std::move(leave)) {}
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override {
    enter_();
    const auto exit = next_.call(request, reply, until);
    leave_();
    return exit;
  }

 private:
  snp::GuestRequestPort& next_;
  const std::function<void()> enter_, leave_;
};

/// Guest is everything that attest() needs, for as many attempts as one likes: a launched guest of a simulated machine,
/// with the vector's key.
class Guest {
 public:
  explicit Guest(
      std::function<void()> enter_firmware = [] {}, std::function<void()> leave_firmware = [] {})
      : enter_(std::move(enter_firmware)), leave_(std::move(leave_firmware)) {}

  /// launch makes the guest ready for its first attempt; false if it cannot.
  bool launch();
  /// start launches the guest and makes one attempt, whose cost is that of a first one.
  bool start() { return launch() && releases(); }
  /// releases runs one attempt over `wire` and says whether it yielded the recorded secret.
  bool releases(Transport& wire, const AttestConfig& config = {.secret_auth = SecretAuth::none});
  bool releases() { return releases(replayed_); }

 private:
  const std::function<void()> enter_, leave_;
  posix::SteadyClock clock_;
  VectorEntropy entropy_;
  ReplayedHost replayed_;
  std::optional<sim::Firmware> firmware_;
  std::optional<WatchedPort> port_;
  std::unique_ptr<snp::ChannelPages> pages_ = std::make_unique<snp::ChannelPages>();
  std::optional<snp::GuestChannel> channel_;
  std::unique_ptr<Workspace> workspace_ = std::make_unique<Workspace>();
};

}  // namespace attestbed::bench
