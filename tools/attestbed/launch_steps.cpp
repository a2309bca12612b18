// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/launch_steps.h"

#include <cstdio>

#include "core/posix/describe.h"

namespace attestbed::tools {
namespace {

std::string gpa_text(std::uint64_t gpa) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof text, "0x%012llx", static_cast<unsigned long long>(gpa));
  return text;
}

}  // namespace

sim::Outcome<LaunchSteps> launch_steps(const sim::LaunchImage& image, bool keep) {
  LaunchSteps found;
  const auto step = [&](const sim::LaunchRegion& region, std::uint64_t gpa, const snp::Measurement& digest) {
    found.pages += region.large ? sim::kLargePageBytes / snp::kPageBytes : 1;
    if (!keep) return;
    nlohmann::ordered_json line = {{"type", sim::page_type_name(region.type)}, {"gpa", gpa_text(gpa)}};
    if (region.large) line["large"] = true;
    line["name"] = region.name;
    line["digest"] = posix::to_hex(digest);
    found.steps.push_back(std::move(line));
  };
  found.measurement = TRY(sim::measure_image(image, step));
  return found;
}

}  // namespace attestbed::tools
