// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/snp/report.h"
#include "core/snp/vmpck.h"

namespace attestbed::sim {

/// PageType is PAGE_TYPE of SNP_LAUNCH_UPDATE (56860).
enum class PageType : std::uint8_t { normal = 1, vmsa = 2, zero = 3, unmeasured = 4, secrets = 5, cpuid = 6 };

/// PagePermissions are what VMPL1..3 may do with a page: bit 0 read, 1 write, 2 user-execute, 3 supervisor-execute,
/// 4 supervisor shadow stack.
struct PagePermissions {
  std::uint8_t vmpl1 = 0, vmpl2 = 0, vmpl3 = 0;
  friend bool operator==(const PagePermissions&, const PagePermissions&) = default;
};
inline constexpr std::uint8_t kDefinedPermissions = 0x1f;

/// LaunchPage is one 4 KiB page that the hypervisor adds to a guest before it runs.
///   content  measured for normal and vmsa; what the others hold is the firmware's or the host's business
struct LaunchPage {
  PageType type = PageType::normal;
  std::uint64_t gpa = 0;
  snp::Page content{};
  PagePermissions permissions{};
};

inline constexpr std::size_t kLargePageBytes = 512 * snp::kPageBytes;

/// LargeLaunchPage is a page of 2 MiB, which counts as 512 pages of 4 KiB. Only normal, zero and unmeasured pages can
/// be this large.
///   content  2 MiB if the type is normal, else empty
struct LargeLaunchPage {
  PageType type = PageType::normal;
  std::uint64_t gpa = 0;
  Bytes content;
  PagePermissions permissions{};
};

/// kVmsaGpa is the address under which a VMSA is measured, wherever it lies.
inline constexpr std::uint64_t kVmsaGpa = 0xfffffffff000;

/// LaunchDigest folds pages into a measurement, in order: each step hashes a PAGE_INFO that holds the digest so far.
class LaunchDigest {
 public:
  /// update adds one page, update_large one of 2 MiB. Errors: firmware_refused with the status in `found`:
  /// INVALID_PARAM (0x16) for a type that does not exist, permissions that do not, or a GPA that is not a multiple of
  /// the page's size; INVALID_PAGE_SIZE (0x19) for a VMSA, secrets or CPUID page of 2 MiB; bad_length if a large page's
  /// content is not 2 MiB; internal. After an error the value is what it was.
  Status update(const LaunchPage& page);
  Status update_large(const LargeLaunchPage& page);
  const snp::Measurement& value() const { return value_; }

 private:
  /// fold adds 4 KiB that were judged; `content` counts for normal and VMSA pages.
  Status fold(PageType type, std::uint64_t gpa, Bytes content, const PagePermissions& permissions);
  snp::Measurement value_{};
};

}  // namespace attestbed::sim
