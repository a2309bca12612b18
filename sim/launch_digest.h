// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/snp/report.h"
#include "core/snp/vmpck.h"

namespace attestbed::sim {

/// PageType is PAGE_TYPE of SNP_LAUNCH_UPDATE (56860; facts/snp-firmware 5.1).
enum class PageType : std::uint8_t { normal = 1, vmsa = 2, zero = 3, unmeasured = 4, secrets = 5, cpuid = 6 };

/// PagePermissions are what VMPL1..3 may do with a page: bit 0 read, 1 write, 2 user-execute, 3 supervisor-execute.
struct PagePermissions {
  std::uint8_t vmpl1 = 0, vmpl2 = 0, vmpl3 = 0;
};

/// LaunchPage is one 4 KiB page that the hypervisor adds to a guest before it runs.
///   content  measured for normal and vmsa; what the others hold is the firmware's or the host's business
struct LaunchPage {
  PageType type = PageType::normal;
  std::uint64_t gpa = 0;
  snp::Page content{};
  PagePermissions permissions{};
};

/// kVmsaGpa is the address under which a VMSA is measured, wherever it lies.
inline constexpr std::uint64_t kVmsaGpa = 0xfffffffff000;

/// LaunchDigest folds pages into a measurement, in order: each step hashes a PAGE_INFO that holds the digest so far.
class LaunchDigest {
 public:
  /// update adds one page. Errors: firmware_refused with status 0x16 in `found` for a type that does not exist or a GPA
  /// that is not page-aligned; internal.
  Status update(const LaunchPage& page);
  const snp::Measurement& value() const { return value_; }

 private:
  snp::Measurement value_{};
};

}  // namespace attestbed::sim
