// SPDX-License-Identifier: Apache-2.0
#include "sim/launch_digest.h"

#include <algorithm>
#include <cstddef>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"
#include "sim/status.h"

namespace attestbed::sim {
namespace {

struct PageInfo {
  snp::Measurement digest_cur;  // 0x00
  ByteArray<48> contents;       // 0x30
  le16 length;                  // 0x60
  std::uint8_t page_type;       // 0x62
  std::uint8_t flags;           // 0x63  bit 0 IMI_PAGE: this firmware has no migration agents
  std::uint8_t reserved;        // 0x64
  std::uint8_t vmpl1_perms;     // 0x65
  std::uint8_t vmpl2_perms;     // 0x66
  std::uint8_t vmpl3_perms;     // 0x67
  le64 gpa;                     // 0x68
};
static_assert(sizeof(PageInfo) == 0x70 && alignof(PageInfo) == 1);
static_assert(offsetof(PageInfo, length) == 0x60 && offsetof(PageInfo, vmpl1_perms) == 0x65);

constexpr std::size_t kGuestTscScale = 0x2f0;  // and GUEST_TSC_OFFSET after it, 8 octets each

}  // namespace

Status LaunchDigest::update(const LaunchPage& page) {
  PageInfo info{};
  info.digest_cur = value_;
  info.length = static_cast<std::uint16_t>(sizeof info);
  info.page_type = static_cast<std::uint8_t>(page.type);
  info.vmpl1_perms = page.permissions.vmpl1;
  info.vmpl2_perms = page.permissions.vmpl2;
  info.vmpl3_perms = page.permissions.vmpl3;
  info.gpa = page.gpa;
  if (page.gpa % snp::kPageBytes != 0) {
    return Error{Errc::firmware_refused, "SNP_LAUNCH_UPDATE GPA", code_of(FirmwareStatus::invalid_param)};
  }
  switch (page.type) {
    case PageType::normal:
      info.contents = TRY(crypto::sha384({page.content}));
      break;
    case PageType::vmsa: {
      // The firmware sets the TSC fields itself, so they are measured as zero.
      snp::Page vmsa = page.content;
      std::fill_n(vmsa.begin() + kGuestTscScale, 16, std::uint8_t{0});
      info.contents = TRY(crypto::sha384({vmsa}));
      break;
    }
    case PageType::zero:
    case PageType::unmeasured:
    case PageType::secrets:
    case PageType::cpuid:
      break;
    default:
      return Error{Errc::firmware_refused, "SNP_LAUNCH_UPDATE PAGE_TYPE", code_of(FirmwareStatus::invalid_param)};
  }
  value_ = TRY(crypto::sha384({{reinterpret_cast<const std::uint8_t*>(&info), sizeof info}}));
  return ok();
}

}  // namespace attestbed::sim
