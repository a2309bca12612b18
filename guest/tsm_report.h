// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/report_provider.h"
#include "guest/tsm_tree.h"

namespace attestbed::guest {

/// TsmPages is the memory that a TsmReport works in. 16 KiB is the most that the kernel's driver has for certificates.
struct TsmPages {
  ByteArray<16 * 1024> certs;
  ByteArray<snp::kReportBytes> report;
};

/// TsmReport has the kernel make reports by way of configfs-tsm (kernels from 6.7 on). Each has an entry of its own,
/// which is removed whatever happens. The kernel's counter of accepted writes (`generation`) must rise by ours and no
/// more, and the report must have our REPORT_DATA and VMPL: what somebody else wrote in between is never taken.
class TsmReport final : public ReportProvider {
 public:
  /// `vmpl` is that of the report. `tree`, `clock` and `pages` outlive it.
  TsmReport(TsmTree& tree, Clock& clock, TsmPages& pages, std::uint32_t vmpl)
      : tree_(tree), clock_(clock), pages_(pages), vmpl_(vmpl) {}

  /// report makes the report with the host's certificates. An entry that somebody else wrote to is left for a new one,
  /// kAttempts times. A read cannot be cancelled while the kernel bears a busy host, for up to 60 s: a report that came
  /// past the deadline is dropped.
  ///   returns  certs is the host's table; empty if the host gave none or one that snp::CertificateTable refuses
  ///   errors   firmware_unreachable: no tree, no provider (`where` says what to do), or another errno in `found`;
  ///            bad_config: the provider is not sev_guest, or the VMPL is below its floor (`expected`);
  ///            firmware_busy: the host was BUSY until the driver gave up, or the entries were others' each time;
  ///            firmware_refused: EINVAL (STATUS 0x16 or 0x27) or EIO in `found`, configfs says no more;
  ///            firmware_reply; vmpck_lost; deadline
  Result<Evidence> report(const snp::ReportData& report_data, Deadline until) override;

  static constexpr int kAttempts = 3;

 private:
  Result<Evidence> from_entry(const std::string& entry, const snp::ReportData& report_data, Deadline until);
  Status check_provider(const std::string& entry, Deadline until);
  Status check_privlevel(const std::string& entry, Deadline until);
  Status write(const std::string& entry, const char* attribute, Bytes octets, Deadline until);
  Result<Bytes> read(const std::string& entry, const char* attribute, MutBytes into, Deadline until);
  Result<std::uint64_t> number(const std::string& entry, const char* attribute, Deadline until);

  TsmTree& tree_;
  Clock& clock_;
  TsmPages& pages_;
  const std::uint32_t vmpl_;
  unsigned entries_ = 0;
};

}  // namespace attestbed::guest
