// SPDX-License-Identifier: Apache-2.0
#include "sim/guest_image.h"

#include <cstring>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kCodeGpa = 0xffff8000;  // eight pages below 4 GiB, where a reset CPU begins
constexpr unsigned kCodePages = 8;
constexpr std::uint64_t kZeroGpa = 0x800000, kSecretsGpa = 0x80d000, kCpuidGpa = 0x80e000;

template <class T>
void put(snp::Page& page, std::size_t offset, T value) {
  const LittleEndian<T> octets = value;
  std::memcpy(page.data() + offset, &octets, sizeof octets);
}

struct Segment {
  std::size_t offset;
  std::uint16_t selector, attributes;
  std::uint32_t limit;
};

constexpr Segment kSegments[] = {
    {0x00, 0, 0x93, 0xffff},       // ES
    {0x10, 0xf000, 0x9b, 0xffff},  // CS, base below
    {0x20, 0, 0x93, 0xffff},       // SS
    {0x30, 0, 0x93, 0xffff},       // DS
    {0x40, 0, 0x93, 0xffff},       // FS
    {0x50, 0, 0x93, 0xffff},       // GS
    {0x60, 0, 0, 0xffff},          // GDTR
    {0x70, 0, 0x82, 0xffff},       // LDTR
    {0x80, 0, 0, 0xffff},          // IDTR
    {0x90, 0, 0x8b, 0xffff},       // TR
};

}  // namespace

snp::Page vmsa_page(const VmsaState& state) {
  snp::Page page{};
  for (const Segment& segment : kSegments) {
    put<std::uint16_t>(page, segment.offset, segment.selector);
    put<std::uint16_t>(page, segment.offset + 2, segment.attributes);
    put<std::uint32_t>(page, segment.offset + 4, segment.limit);
  }
  put<std::uint64_t>(page, 0x18, state.eip & 0xffff0000U);  // CS base
  put<std::uint64_t>(page, 0xd0, 0x1000);                   // EFER
  put<std::uint64_t>(page, 0x148, 0x40);                    // CR4
  put<std::uint64_t>(page, 0x158, 0x10);                    // CR0
  put<std::uint64_t>(page, 0x160, 0x400);                   // DR7
  put<std::uint64_t>(page, 0x168, 0xffff0ff0);              // DR6
  put<std::uint64_t>(page, 0x170, 2);                       // RFLAGS
  put<std::uint64_t>(page, 0x178, state.eip & 0xffffU);     // RIP
  put<std::uint64_t>(page, 0x268, 0x0007040600070406);      // G_PAT
  put<std::uint64_t>(page, 0x310, state.cpu_signature);     // RDX
  put<std::uint64_t>(page, 0x3b0, state.sev_features);      // SEV_FEATURES
  put<std::uint64_t>(page, 0x3e8, 1);                       // XCR0
  put<std::uint32_t>(page, 0x408, 0x1f80);                  // MXCSR
  put<std::uint16_t>(page, 0x410, 0x37f);                   // X87_FCW
  return page;
}

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

Result<snp::Measurement> measure(const std::vector<LaunchPage>& pages) {
  LaunchDigest digest;
  for (const LaunchPage& page : pages) TRY(digest.update(page));
  return digest.value();
}

}  // namespace attestbed::sim
