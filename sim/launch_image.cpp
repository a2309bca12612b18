// SPDX-License-Identifier: Apache-2.0
#include "sim/launch_image.h"

#include <algorithm>

#include "sim/image_file.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kAddressEnd = 1ULL << 52;  // x86's physical addresses
constexpr std::uint64_t kPagesPerLargePage = kLargePageBytes / snp::kPageBytes;

bool has_content(PageType type) {
  return type == PageType::normal || type == PageType::vmsa;
}

std::string subject(const LaunchRegion& region, std::uint64_t gpa) {
  return region.name + " at GPA " + hex_number(gpa);
}

Outcome<void> check(const LaunchRegion& region) {
  const auto malformed = [&](std::uint64_t expected, std::uint64_t found, const char* what) {
    return Failure{Errc::image_malformed, subject(region, region.gpa) + ": " + what + ": expected " +
                                              hex_number(expected) + ", found " + hex_number(found)};
  };
  // kMaxImagePages keeps the products and sums small.
  if (region.gpa >= kAddressEnd || region.pages * snp::kPageBytes > kAddressEnd - region.gpa) {
    return malformed(kAddressEnd, region.gpa, "end of physical addresses");
  }
  const std::uint64_t expected = has_content(region.type) ? region.pages * snp::kPageBytes : 0;
  if (region.content.size() != expected) return malformed(expected, region.content.size(), "octets of content");
  if (region.large && region.pages % kPagesPerLargePage != 0) {
    return malformed(kPagesPerLargePage, region.pages % kPagesPerLargePage, "pages in a page of 2 MiB");
  }
  return {};
}

/// check_places refuses an image in which two pages are to lie at one GPA: no memory can be that. VMSAs alone share
/// one, since they are measured at an address that is no memory of the guest's (KVM: 0xfffffffff000).
Outcome<void> check_places(const LaunchImage& image) {
  std::vector<const LaunchRegion*> by_place;
  by_place.reserve(image.size());
  for (const LaunchRegion& region : image) by_place.push_back(&region);
  std::ranges::stable_sort(by_place, {}, &LaunchRegion::gpa);
  const auto end_of = [](const LaunchRegion& region) { return region.gpa + region.pages * snp::kPageBytes; };
  const LaunchRegion* reaching = nullptr;  // of those before, the one that ends last
  for (const LaunchRegion* region : by_place) {
    const bool vmsas = reaching != nullptr && reaching->type == PageType::vmsa && region->type == PageType::vmsa;
    if (reaching != nullptr && region->gpa < end_of(*reaching) && !vmsas) {
      return Failure{Errc::image_malformed,
                     subject(*region, region->gpa) + ": expected a GPA that no other page has, found it also in " +
                         subject(*reaching, reaching->gpa) + ", " + std::to_string(reaching->pages) + " pages"};
    }
    if (reaching == nullptr || end_of(*region) > end_of(*reaching)) reaching = region;
  }
  return {};
}

Outcome<void> measure_region(const LaunchRegion& region, LaunchDigest& digest, const DigestStep& step) {
  const std::size_t page_bytes = region.large ? kLargePageBytes : snp::kPageBytes;
  const std::uint64_t bytes = region.pages * snp::kPageBytes;
  LaunchPage page{region.type, 0, {}, region.permissions};
  for (std::uint64_t offset = 0; offset < bytes; offset += page_bytes) {
    const std::uint64_t gpa = region.gpa + offset;
    const Bytes content = region.content.empty() ? Bytes{} : Bytes(region.content).subspan(offset, page_bytes);
    Status updated = ok();
    if (region.large) {
      updated = digest.update_large({region.type, gpa, content, region.permissions});
    } else {
      page.gpa = gpa;
      std::ranges::copy(content, page.content.begin());
      updated = digest.update(page);
    }
    if (!updated) return failure_at(subject(region, gpa), updated.error());
    if (step) step(region, gpa, digest.value());
  }
  return {};
}

}  // namespace

const char* page_type_name(PageType type) {
  constexpr const char* kNames[] = {"normal", "vmsa", "zero", "unmeasured", "secrets", "cpuid"};
  const auto index = static_cast<std::size_t>(type) - 1;
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

Outcome<snp::Measurement> measure_image(const LaunchImage& image, const DigestStep& step) {
  std::uint64_t left = kMaxImagePages;
  for (const LaunchRegion& region : image) {
    if (region.pages > left) {
      return Failure{Errc::too_large, subject(region, region.gpa) + ": expected at most " +
                                          std::to_string(kMaxImagePages) + " pages in all, found " +
                                          std::to_string(region.pages) + " where " + std::to_string(left) +
                                          " are left"};
    }
    left -= region.pages;
  }
  for (const LaunchRegion& region : image) TRY(check(region));
  TRY(check_places(image));
  LaunchDigest digest;
  for (const LaunchRegion& region : image) TRY(measure_region(region, digest, step));
  return digest.value();
}

}  // namespace attestbed::sim
