// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "sim/launch.h"
#include "sim/launch_image.h"
#include "sim/vmsa.h"

namespace attestbed::sim {

/// synthetic_image is the guest that snp-sim launches when nobody brings one: code pages derived from `label`, then
/// zeroed, secrets and CPUID pages and one CPU. The same label gives the same measurement, another label another.
/// Errors: internal.
Result<std::vector<LaunchPage>> synthetic_image(std::string_view label);

/// pages_of is an image page by page, as a launch takes it. Errors: too_large beyond kMaxImagePages; image_malformed if
/// a region is of 2 MiB pages, which only an IGVM file or a page list asks for.
Outcome<std::vector<LaunchPage>> pages_of(const LaunchImage& image);

/// measure is the launch digest of `pages`. Errors: those of LaunchDigest::update.
Result<snp::Measurement> measure(const std::vector<LaunchPage>& pages);

}  // namespace attestbed::sim
