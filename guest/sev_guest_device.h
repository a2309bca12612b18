// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/sev-guest.h>
#include <sys/ioctl.h>

#include <memory>
#include <string>

#include "core/platform/report_provider.h"
#include "core/posix/fd.h"

namespace attestbed::guest {

// The kernel's structures (include/uapi/linux/sev-guest.h), to the octet.
static_assert(sizeof(snp_guest_request_ioctl) == 32 && offsetof(snp_guest_request_ioctl, req_data) == 0x08);
static_assert(offsetof(snp_guest_request_ioctl, resp_data) == 0x10);
static_assert(offsetof(snp_guest_request_ioctl, exitinfo2) == 0x18);
static_assert(sizeof(snp_report_req) == 96 && offsetof(snp_report_req, vmpl) == 0x40);
static_assert(sizeof(snp_ext_report_req) == 112 && offsetof(snp_ext_report_req, certs_address) == 0x60);
static_assert(offsetof(snp_ext_report_req, certs_len) == 0x68 && sizeof(snp_report_resp) == 4000);
static_assert(SNP_GET_REPORT == 0xc0205300 && SNP_GET_EXT_REPORT == 0xc0205302);

inline constexpr const char* kDefaultSevGuestDevice = "/dev/sev-guest";

/// SevGuestPort is ioctl(2) on the kernel's device and nothing else, so that a test can be the kernel.
class SevGuestPort {
 public:
  /// call returns 0 or errno. It blocks for as long as the driver likes: while the host says BUSY it sends the same
  /// message again every 2 s for 60 s, and nothing but a fatal signal ends that.
  virtual int call(unsigned long request, snp_guest_request_ioctl& argument) = 0;

 protected:
  ~SevGuestPort() = default;
};

/// SevGuestFile is the device itself.
class SevGuestFile final : public SevGuestPort {
 public:
  /// open errors: firmware_unreachable with errno in `found`.
  static Result<SevGuestFile> open(const std::string& device);
  int call(unsigned long request, snp_guest_request_ioctl& argument) override;

 private:
  explicit SevGuestFile(posix::Fd fd) : fd_(std::move(fd)) {}
  posix::Fd fd_;
};

/// SevGuestPages is the memory that a SevGuestDevice works in. 16 KiB is the most that the driver takes.
struct SevGuestPages {
  alignas(4096) ByteArray<16 * 1024> certs;
  snp_report_resp response;
};

/// SevGuestDevice has the kernel's driver ask the firmware for reports, and the host for certificates. Header, key and
/// sequence numbers are the driver's; so are the retries. A report that took past the deadline is dropped: an ioctl
/// cannot be cancelled, so a call may return up to 60 s late, while the driver bears a busy host.
class SevGuestDevice final : public ReportProvider {
 public:
  /// `vmpl` is that of the report.
  SevGuestDevice(SevGuestPort& port, Clock& clock, SevGuestPages& pages, std::uint32_t vmpl)
      : port_(port), clock_(clock), pages_(pages), vmpl_(vmpl) {}

  /// report asks with room for certificates first. If the host wants more room than there is, it asks again without;
  /// after any other failure the driver has wiped its VMPCK, and a second request would only say that.
  ///   returns  certs is the host's table (56421, extended guest request) without padding; empty if the host gave none
  ///            or one that snp::CertificateTable refuses
  ///   errors   firmware_busy (host BUSY until the driver gave up); firmware_refused (exitinfo2 in `found`: hypervisor
  ///            code << 32 | firmware status); firmware_status (STATUS of the reply in `found`); firmware_reply (also
  ///            the driver's EBADMSG); vmpck_lost (ENOTTY); firmware_unreachable (anything else, errno in `found`);
  ///            deadline
  Result<Evidence> report(const snp::ReportData& report_data, Deadline until) override;

 private:
  struct Exit {
    int error;
    std::uint64_t exitinfo2;
  };
  Exit ask(unsigned long request, const void* question);
  Exit ask_for_certs(const snp_report_req& question);

  SevGuestPort& port_;
  Clock& clock_;
  SevGuestPages& pages_;
  const std::uint32_t vmpl_;
};

}  // namespace attestbed::guest
