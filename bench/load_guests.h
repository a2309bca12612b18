// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/attest.h"
#include "core/posix/clock.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware.h"

// Guests for a proxy and a broker that are programs of their own: every guest is a thread with attest(), a fresh key
// for each attempt and a simulated firmware, and a new line for each attempt.
namespace attestbed::bench {

/// load_machine is the machine whose guests these are: the default seed's Milan, whose keys everybody has.
const sim::Machine* load_machine();

/// LoadGuest is one launched guest. All of them have the same measurement.
class LoadGuest {
 public:
  bool launch();
  Result<snp::RawReport> report();
  /// attempt makes one attempt at the proxy behind the socket `path`. Errors: those of attest(), io_failed.
  Status attempt(const std::string& path, const AttestConfig& config);

 private:
  posix::SteadyClock clock_;
  posix::KernelEntropy entropy_;
  std::optional<sim::Firmware> firmware_;
  std::unique_ptr<snp::ChannelPages> pages_ = std::make_unique<snp::ChannelPages>();
  std::optional<snp::GuestChannel> channel_;
};

/// LoadResult is what a crowd of guests saw.
///   seconds  from the moment when all may start to the last one's end
///   ms       of every attempt that released a secret, ascending
///   failed   how many attempts ended otherwise, by the name of their error
struct LoadResult {
  double seconds = 0;
  std::vector<double> ms;
  std::map<std::string, int> failed;
};

/// run_load has `guests` guests make `attempts` attempts together, each its next one as soon as the last has ended.
/// None if a guest cannot be launched.
std::optional<LoadResult> run_load(const std::string& socket, int guests, int attempts, const AttestConfig& config);

}  // namespace attestbed::bench
