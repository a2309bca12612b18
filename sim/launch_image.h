// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/failure.h"
#include "sim/launch_digest.h"

namespace attestbed::sim {

/// LaunchRegion is consecutive pages that a host adds to a guest in one go.
///   pages    of 4 KiB
///   content  the pages' octets for normal and VMSA pages, else empty
///   large    added as pages of 2 MiB, so `pages` is a multiple of 512
///   name     what it is, for people: "firmware", "SNP_SECRETS"
struct LaunchRegion {
  PageType type = PageType::normal;
  std::uint64_t gpa = 0;
  std::uint64_t pages = 1;
  std::vector<std::uint8_t> content;
  PagePermissions permissions{};
  bool large = false;
  std::string name;
};

/// LaunchImage is all that is measured, in its order.
using LaunchImage = std::vector<LaunchRegion>;

/// kMaxImagePages bounds what a few octets of an image can make us hash: 1 GiB of memory.
inline constexpr std::uint64_t kMaxImagePages = 1ULL << 18;

const char* page_type_name(PageType type);  // "normal", "vmsa", "zero", "unmeasured", "secrets", "cpuid"

/// DigestStep is told the digest after each page: 4 KiB, or 2 MiB of a large region.
using DigestStep = std::function<void(const LaunchRegion& region, std::uint64_t gpa, const snp::Measurement& digest)>;

/// measure_image folds an image into its launch digest.
///   errors  too_large beyond kMaxImagePages; image_malformed if a region leaves the address space, its content has
///           another size than its pages, or it shares a GPA with another (only VMSAs may); what LaunchDigest refuses
Outcome<snp::Measurement> measure_image(const LaunchImage& image, const DigestStep& step = {});

}  // namespace attestbed::sim
