// SPDX-License-Identifier: Apache-2.0
#include "sim/launch_config.h"

#include <string>

#include "core/posix/clock.h"
#include "sim/seeded_entropy.h"

namespace attestbed::sim {
namespace {

Result<GuestContext> launch(const LaunchConfig& config, Entropy& entropy) {
  Launch launch = TRY(Launch::start(config.machine, config.policy, entropy));
  for (const LaunchPage& page : config.pages) TRY(launch.update(page));
  return launch.try_finish({config.host_data, config.vcek_disabled, config.id_block});
}

}  // namespace

Result<GuestContext> launch_guest(const LaunchConfig& config, std::uint64_t number) {
  if (config.seed) {
    SeededEntropy entropy(*config.seed, "guest " + std::to_string(number));
    return launch(config, entropy);
  }
  posix::KernelEntropy entropy;
  return launch(config, entropy);
}

}  // namespace attestbed::sim
