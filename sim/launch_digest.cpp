// SPDX-License-Identifier: Apache-2.0
#include "sim/launch_digest.h"

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

Error refused(const char* where, FirmwareStatus status) {
  return {Errc::firmware_refused, where, code_of(status)};
}

bool exists(PageType type) {
  return type >= PageType::normal && type <= PageType::cpuid;
}

bool may_be_large(PageType type) {
  return type == PageType::normal || type == PageType::zero || type == PageType::unmeasured;
}

Status check(PageType type, std::uint64_t gpa, std::size_t size, const PagePermissions& permissions) {
  if (!exists(type)) return refused("SNP_LAUNCH_UPDATE PAGE_TYPE", FirmwareStatus::invalid_param);
  const unsigned all_permissions = permissions.vmpl1 | permissions.vmpl2 | permissions.vmpl3;
  if ((all_permissions & ~unsigned{kDefinedPermissions}) != 0) {
    return refused("SNP_LAUNCH_UPDATE VMPL permissions", FirmwareStatus::invalid_param);
  }
  if (gpa % size != 0) return refused("SNP_LAUNCH_UPDATE GPA", FirmwareStatus::invalid_param);
  return ok();
}

}  // namespace

Status LaunchDigest::update(const LaunchPage& page) {
  TRY(check(page.type, page.gpa, snp::kPageBytes, page.permissions));
  return fold(page.type, page.gpa, page.content, page.permissions);
}

Status LaunchDigest::update_large(const LargeLaunchPage& page) {
  TRY(check(page.type, page.gpa, kLargePageBytes, page.permissions));
  if (!may_be_large(page.type)) return refused("SNP_LAUNCH_UPDATE PAGE_SIZE", FirmwareStatus::invalid_page_size);
  const std::size_t expected = page.type == PageType::normal ? kLargePageBytes : 0;
  if (page.content.size() != expected) {
    return Error{Errc::bad_length, "content of a page of 2 MiB", page.content.size(), expected};
  }
  const snp::Measurement before = value_;
  for (std::size_t offset = 0; offset < kLargePageBytes; offset += snp::kPageBytes) {
    const Bytes content = page.content.empty() ? Bytes{} : page.content.subspan(offset, snp::kPageBytes);
    const Status folded = fold(page.type, page.gpa + offset, content, page.permissions);
    if (!folded) value_ = before;
    TRY(folded);
  }
  return ok();
}

Status LaunchDigest::fold(PageType type, std::uint64_t gpa, Bytes content, const PagePermissions& permissions) {
  PageInfo info{};
  info.digest_cur = value_;
  info.length = static_cast<std::uint16_t>(sizeof info);
  info.page_type = static_cast<std::uint8_t>(type);
  info.vmpl1_perms = permissions.vmpl1;
  info.vmpl2_perms = permissions.vmpl2;
  info.vmpl3_perms = permissions.vmpl3;
  info.gpa = gpa;
  if (type == PageType::normal) info.contents = TRY(crypto::sha384({content}));
  if (type == PageType::vmsa) {
    // The firmware sets the TSC fields itself, so they are measured as zero.
    constexpr ByteArray<16> kNoTsc{};
    info.contents =
        TRY(crypto::sha384({content.first(kGuestTscScale), kNoTsc, content.subspan(kGuestTscScale + kNoTsc.size())}));
  }
  value_ = TRY(crypto::sha384({{reinterpret_cast<const std::uint8_t*>(&info), sizeof info}}));
  return ok();
}

}  // namespace attestbed::sim
