// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace attestbed::tools {

/// Scenario is what one `attestbed run` stages: inputs alone, no check is ever switched off by it.
///   secret    what the broker releases; at most 32 KiB
///   resource  repository/type/tag, at broker, proxy and guest
///   product   "Milan" or "Genoa"
///   timeout   of the guest's attempt and of the proxy's
struct Scenario {
  std::string secret = "hello, SVSM!";
  std::string resource = "default/sample/test";
  std::string product = "Milan";
  std::chrono::seconds timeout{60};
};

}  // namespace attestbed::tools
