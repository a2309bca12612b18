// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_message.h"
#include "core/snp/guest_request.h"
#include "sim/guest_messages.h"

namespace attestbed::sim {

/// CallRecord says what the firmware made of a guest request, for logs and tests. Nothing in it is secret.
///   mailbox      the command's status; unless success there was no reply and no counter moved
///   status       STATUS inside the reply; only meaningful if mailbox is success
///   why          the rule that either refusal is about, static text; empty if both are success
///   report_data  of a report that was made, else zero
struct CallRecord {
  FirmwareStatus mailbox = FirmwareStatus::success;
  FirmwareStatus status = FirmwareStatus::success;
  const char* why = "";
  std::uint8_t vmpck = 0;
  std::uint8_t type = 0;
  std::uint64_t seqno = 0;
  snp::ReportData report_data{};
};

/// Firmware is the SNP firmware as one running guest meets it: SNP_GUEST_REQUEST with the checks and codes of
/// 56860 SNP_GUEST_REQUEST, in their order. What hypervisor and platform can do wrong before the message is
/// looked at does not exist here (docs/firmware-socket.md). It serves REPORT, KEY, TSC_INFO and CPUID; what moves a
/// guest to another machine (VMRK, EXPORT, IMPORT, ABSORB) is refused like an unknown message, INVALID_PARAM, as no
/// migration agent exists. One thread at a time.
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
  Result<FirmwareStatus> serve(const snp::GuestMessage& message, snp::Page& reply);
  FirmwareStatus refuse(FirmwareStatus status, const char* why);

  const Machine machine_;
  GuestContext guest_;
  CallRecord last_;
  snp::Page request_copy_{}, scratch_{};
  ByteArray<snp::kMaxPayloadBytes> answer_{};
};

}  // namespace attestbed::sim
