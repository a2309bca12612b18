// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sim/launch.h"

namespace attestbed::sim {

/// LaunchConfig is what a host launches every guest with.
///   pages  the image, in the order in which it is measured
///   seed   makes the keys of guest `number` repeatable; without one they are random
struct LaunchConfig {
  Machine machine;
  std::uint64_t policy = kDefaultPolicy;
  HostData host_data{};
  std::vector<LaunchPage> pages;
  std::optional<Seed> seed;
  bool vcek_disabled = false;
  std::optional<SignedIdBlock> id_block = {};
};

/// launch_guest launches one guest. Errors: those of Launch.
Result<GuestContext> launch_guest(const LaunchConfig& config, std::uint64_t number);

}  // namespace attestbed::sim
