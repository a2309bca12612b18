// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_request.h"
#include "sim/launch.h"
#include "sim/status.h"

namespace attestbed::sim {

/// CallRecord says what the firmware made of a guest request, for logs and tests. Nothing in it is secret.
///   mailbox      the command's status; unless success there was no reply and no counter moved
///   status       STATUS inside the reply; only meaningful if mailbox is success
///   report_data  of a report that was made, else zero
struct CallRecord {
  FirmwareStatus mailbox = FirmwareStatus::success;
  FirmwareStatus status = FirmwareStatus::success;
  std::uint8_t vmpck = 0;
  std::uint8_t type = 0;
  std::uint64_t seqno = 0;
  snp::ReportData report_data{};
};

/// make_report fills in and signs an attestation report, version 3.
///   errors  tcb_order if the machine's TCBs are out of order, internal
///   spec    56860 ATTESTATION_REPORT; facts/snp-firmware 1
Result<snp::RawReport> make_report(const Machine& machine, const GuestContext& guest, std::uint32_t vmpl,
                                   const snp::ReportData& report_data);

/// Firmware is the SNP firmware as one running guest meets it: SNP_GUEST_REQUEST with the checks and codes of
/// facts/snp-firmware 2.3 and 2.4, in their order. What hypervisor and platform can do wrong before the message is
/// looked at (steps 1 to 5 there) does not exist here. MSG_REPORT_REQ is served; KEY, TSC_INFO, CPUID and every other
/// message is refused as an unknown one, INVALID_PARAM. One thread at a time.
class Firmware final : public snp::GuestRequestPort {
 public:
  Firmware(Machine machine, GuestContext guest) : machine_(std::move(machine)), guest_(std::move(guest)) {}
  ~Firmware();
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;

  /// call handles one request page. Firmware statuses are in the exit's `firmware`; an Error (`internal`) is a defect
  /// of the simulation, not an answer. Never waits.
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override;

  const GuestContext& guest() const { return guest_; }
  const Machine& machine() const { return machine_; }
  const CallRecord& last_call() const { return last_; }

 private:
  Result<FirmwareStatus> handle(const snp::Page& request, snp::Page& reply);
  Result<snp::MsgReportRsp> answer_report(const snp::MsgReportReq& request, std::uint8_t vmpck);

  const Machine machine_;
  GuestContext guest_;
  CallRecord last_;
  snp::Page request_copy_{}, scratch_{};
};

}  // namespace attestbed::sim
