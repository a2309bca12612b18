// SPDX-License-Identifier: Apache-2.0
#include "guest/sev_guest_device.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "core/snp/certificate_table.h"

namespace attestbed::guest {
namespace {

// What the driver puts into exitinfo2 before it calls: no firmware status has this value.
constexpr std::uint64_t kNotCalled = 0xff;
// SEV_RET_NO_FW_CALL: the hypervisor was not reached.
constexpr std::uint32_t kNoFirmwareCall = 0xffffffff;

Error unreachable(const char* where, int error) {
  return {Errc::firmware_unreachable, where, static_cast<std::uint64_t>(error)};
}

/// refusal names why an ioctl failed: exitinfo2 as Linux' sev-guest driver sets it.
Error refusal(int error, std::uint64_t exitinfo2) {
  const auto vmm = static_cast<std::uint32_t>(exitinfo2 >> 32);
  const auto firmware = static_cast<std::uint32_t>(exitinfo2);
  if (error == ENOTTY) return {Errc::vmpck_lost, "sev-guest: the driver has no VMPCK, or this is no sev-guest device"};
  if (error == ETIMEDOUT || vmm == SNP_GUEST_VMM_ERR_BUSY) {
    return {Errc::firmware_busy, "sev-guest exitinfo2", SNP_GUEST_VMM_ERR_BUSY, 0};
  }
  if (error == EBADMSG) {
    return {Errc::firmware_reply, "sev-guest: the driver takes no such reply", static_cast<std::uint64_t>(error)};
  }
  if (error != EIO) return unreachable("sev-guest ioctl", error);
  if (exitinfo2 == kNotCalled || firmware == kNoFirmwareCall) {
    return unreachable("sev-guest: the firmware was not called", error);
  }
  return {Errc::firmware_refused, "sev-guest exitinfo2", exitinfo2, 0};
}

}  // namespace

Result<SevGuestFile> SevGuestFile::open(const std::string& device) {
  posix::Fd fd(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (fd) return SevGuestFile(std::move(fd));
  switch (errno) {
    case ENOENT:
      return unreachable("--firmware: no such device; an SNP guest has it once the module sev-guest is loaded", errno);
    case EACCES:
    case EPERM:
      return unreachable("--firmware: no permission for the device; it belongs to root", errno);
    default:
      return unreachable("--firmware: open of the sev-guest device", errno);
  }
}

int SevGuestFile::call(unsigned long request, snp_guest_request_ioctl& argument) {
  return ::ioctl(fd_.get(), request, &argument) == 0 ? 0 : errno;
}

SevGuestDevice::Exit SevGuestDevice::ask(unsigned long request, const void* question) {
  // A driver that writes nothing must not leave the last answer behind.
  pages_.response = {};
  snp_guest_request_ioctl argument{};
  argument.msg_version = 1;
  argument.req_data = reinterpret_cast<std::uintptr_t>(question);
  argument.resp_data = reinterpret_cast<std::uintptr_t>(&pages_.response);
  argument.exitinfo2 = kNotCalled;
  const int error = port_.call(request, argument);
  return {error, argument.exitinfo2};
}

SevGuestDevice::Exit SevGuestDevice::ask_for_certs(const snp_report_req& question) {
  pages_.certs.fill(0);
  snp_ext_report_req extended{};
  extended.data = question;
  extended.certs_address = reinterpret_cast<std::uintptr_t>(pages_.certs.data());
  extended.certs_len = static_cast<std::uint32_t>(pages_.certs.size());
  return ask(SNP_GET_EXT_REPORT, &extended);
}

Result<Evidence> SevGuestDevice::report(const snp::ReportData& report_data, Deadline until) {
  if (clock_.now() >= until) return Error{Errc::deadline, "sev-guest"};
  snp_report_req question{};
  std::memcpy(question.user_data, report_data.data(), report_data.size());
  question.vmpl = vmpl_;

  Bytes certs;
  Exit exit = ask_for_certs(question);
  const bool no_room = exit.error == EIO && exit.exitinfo2 >> 32 == SNP_GUEST_VMM_ERR_INVALID_LEN;
  if (exit.error == 0) certs = snp::certificates_in(pages_.certs);
  // The driver kept its counters in step by sending the message again as a plain request, so a new one may follow. The
  // room offered was all that there can be: the size that the host asks for does not matter.
  if (no_room) {
    if (clock_.now() >= until) return Error{Errc::deadline, "sev-guest"};
    exit = ask(SNP_GET_REPORT, &question);
  }
  if (exit.error != 0) return refusal(exit.error, exit.exitinfo2);
  if (clock_.now() >= until) return Error{Errc::deadline, "sev-guest"};

  const Result<snp::RawReport> report =
      snp::parse_report_rsp(Bytes(pages_.response.data).first(sizeof(snp::MsgReportRsp)));
  if (report) return Evidence{*report, certs};
  const Error& why = report.error();
  if (why.code == Errc::firmware_status) return why;
  return Error{Errc::firmware_reply, why.where, why.found, why.expected};
}

}  // namespace attestbed::guest
