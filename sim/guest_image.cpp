// SPDX-License-Identifier: Apache-2.0
#include "sim/guest_image.h"

#include <algorithm>
#include <cstring>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kCodeGpa = 0xffff8000;  // eight pages below 4 GiB, where a reset CPU begins
constexpr unsigned kCodePages = 8;
constexpr std::uint64_t kZeroGpa = 0x800000, kSecretsGpa = 0x80d000, kCpuidGpa = 0x80e000;

}  // namespace

Result<std::vector<LaunchPage>> synthetic_image(std::string_view label) {
  std::vector<LaunchPage> pages;
  for (unsigned number = 0; number < kCodePages; ++number) {
    LaunchPage page{PageType::normal, kCodeGpa + number * snp::kPageBytes, {}, {}};
    for (std::size_t offset = 0; offset < page.content.size(); offset += 32) {
      const le64 position = number * snp::kPageBytes + offset;
      const Bytes position_octets{reinterpret_cast<const std::uint8_t*>(&position), sizeof position};
      const auto block =
          TRY(crypto::sha256({bytes_of("attestbed synthetic guest "), position_octets, bytes_of(label)}));
      std::memcpy(page.content.data() + offset, block.data(), block.size());
    }
    pages.push_back(page);
  }
  pages.push_back({PageType::zero, kZeroGpa, {}, {}});
  pages.push_back({PageType::secrets, kSecretsGpa, {}, {}});
  pages.push_back({PageType::cpuid, kCpuidGpa, {}, {}});
  pages.push_back({PageType::vmsa, kVmsaGpa, vmsa_page({}), {}});
  return pages;
}

Outcome<std::vector<LaunchPage>> pages_of(const LaunchImage& image) {
  std::vector<LaunchPage> pages;
  for (const LaunchRegion& region : image) {
    if (region.large) return Failure{Errc::image_malformed, region.name + ": pages of 2 MiB, expected pages of 4 KiB"};
    if (region.pages > kMaxImagePages - pages.size()) {
      return Failure{Errc::too_large, region.name + ": more than " + std::to_string(kMaxImagePages) + " pages in all"};
    }
    for (std::uint64_t number = 0; number < region.pages; ++number) {
      LaunchPage page{region.type, region.gpa + number * snp::kPageBytes, {}, region.permissions};
      if (!region.content.empty()) {
        const Bytes content = Bytes(region.content).subspan(number * snp::kPageBytes, snp::kPageBytes);
        std::ranges::copy(content, page.content.begin());
      }
      pages.push_back(page);
    }
  }
  return pages;
}

Result<snp::Measurement> measure(const std::vector<LaunchPage>& pages) {
  LaunchDigest digest;
  for (const LaunchPage& page : pages) TRY(digest.update(page));
  return digest.value();
}

}  // namespace attestbed::sim
