// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "sim/launch_image.h"

namespace attestbed::tools {

/// LaunchSteps is what a measurement found: the launch digest, of how many pages of 4 KiB, and the digest after each
/// page (2 MiB of a large region), in the order of measuring.
struct LaunchSteps {
  snp::Measurement measurement{};
  std::uint64_t pages = 0;
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
};

/// launch_steps measures `image`; the single steps are kept only if `keep` is, since there is one for each page.
/// Errors: those of sim::measure_image.
sim::Outcome<LaunchSteps> launch_steps(const sim::LaunchImage& image, bool keep);

}  // namespace attestbed::tools
