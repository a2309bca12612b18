// SPDX-License-Identifier: Apache-2.0
#include "sim/firmware.h"

#include <cstring>
#include <limits>

#include "core/snp/guest_message.h"

namespace attestbed::sim {
namespace {

constexpr std::uint8_t kReportReqVersion = 1;
constexpr std::uint32_t kMaxVmpl = 3;

// Step 6 of the documented order.
bool header_ok(const snp::GuestMessageHeader& header) {
  return header.header_version == snp::kHeaderVersion && header.header_size == snp::kHeaderBytes &&
         header.algo == snp::kAlgoAes256Gcm && header.payload_size != 0 && header.payload_size % 16 == 0 &&
         header.payload_size <= snp::kMaxPayloadBytes && header.vmpck < snp::kVmpckCount;
}

bool all_zero(Bytes octets) {
  std::uint8_t any = 0;
  for (const std::uint8_t octet : octets) any |= octet;
  return any == 0;
}

// Step 11: what a well-formed MSG_REPORT_REQ may ask for.
FirmwareStatus judge(const snp::MsgReportReq& request, std::uint8_t vmpck) {
  if (!all_zero(request.reserved) || (request.key_sel >> 2) != 0) return FirmwareStatus::invalid_param;
  // No VLEK is loaded on this machine, so asking for it, or for a selector that does not exist, finds no key.
  if (request.key_sel != snp::kKeySelVlekIfLoaded && request.key_sel != snp::kKeySelVcek) {
    return FirmwareStatus::invalid_key;
  }
  if (request.vmpl < vmpck || request.vmpl > kMaxVmpl) return FirmwareStatus::invalid_param;
  return FirmwareStatus::success;
}

}  // namespace

Firmware::~Firmware() {
  wipe(scratch_);
  wipe(request_copy_);
}

Result<snp::GuestRequestExit> Firmware::call(const snp::Page& request, snp::Page& reply, Deadline) {
  last_ = {};
  last_.mailbox = TRY(handle(request, reply));
  return snp::GuestRequestExit{0, code_of(last_.mailbox)};
}

Result<FirmwareStatus> Firmware::handle(const snp::Page& request, snp::Page& reply) {
  // The page is shared with others: one copy, then only the copy is judged.
  request_copy_ = request;
  snp::GuestMessageHeader header;
  std::memcpy(&header, request_copy_.data(), sizeof header);
  last_.vmpck = header.vmpck;
  last_.type = header.type;
  last_.seqno = header.seqno;
  if (!header_ok(header)) return FirmwareStatus::invalid_param;

  const snp::Vmpck& key = guest_.vmpcks[header.vmpck];
  std::uint64_t& count = guest_.message_count[header.vmpck];
  const Result<snp::GuestMessage> message = snp::open_guest_message(key, request_copy_, scratch_);
  if (!message && message.error().code == Errc::firmware_reply) return FirmwareStatus::bad_measurement;
  if (!message) return message.error();
  if (count > std::numeric_limits<std::uint64_t>::max() - 2 || message->seqno != count + 1) {
    return FirmwareStatus::aead_oflow;
  }
  if (message->type != snp::MsgType::report_req || message->version != kReportReqVersion) {
    return FirmwareStatus::invalid_param;
  }
  // A length that is not the type's is part of the message's form, so there is nothing to answer.
  snp::MsgReportReq report_request;
  if (message->payload.size() != sizeof report_request) return FirmwareStatus::invalid_param;
  std::memcpy(&report_request, message->payload.data(), sizeof report_request);

  const snp::MsgReportRsp answer = TRY(answer_report(report_request, message->vmpck));
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&answer), sizeof answer);
  TRY(snp::seal_guest_message(
      key, {snp::MsgType::report_rsp, message->version, message->vmpck, message->seqno + 1, payload}, reply));
  count += 2;
  return FirmwareStatus::success;
}

Result<snp::MsgReportRsp> Firmware::answer_report(const snp::MsgReportReq& request, std::uint8_t vmpck) {
  snp::MsgReportRsp answer{};
  last_.status = judge(request, vmpck);
  answer.status = code_of(last_.status);
  if (last_.status != FirmwareStatus::success) return answer;
  answer.report_size = static_cast<std::uint32_t>(snp::kReportBytes);
  answer.report = TRY(make_report(machine_, guest_, request.vmpl, request.report_data));
  last_.report_data = request.report_data;
  return answer;
}

Result<snp::RawReport> make_report(const Machine& machine, const GuestContext& guest, std::uint32_t vmpl,
                                   const snp::ReportData& report_data) {
  TRY(machine.check());
  const CertificateAuthority& authority = *machine.authority;
  const ProductProfile& profile = authority.profile();
  const snp::Product product = profile.product;
  snp::RawReport report{};
  report.version = 3;
  report.policy = guest.policy;
  report.vmpl = vmpl;
  report.signature_algo = 1;
  report.current_tcb = encode_tcb(product, machine.current_tcb);
  report.platform_info = machine.platform_info;
  report.report_data = report_data;
  report.measurement = guest.measurement;
  report.host_data = guest.host_data;
  report.report_id = guest.report_id;
  report.report_id_ma.fill(0xff);  // no migration agent
  report.reported_tcb = encode_tcb(product, authority.tcb());
  report.cpuid_family = profile.cpuid_family;
  report.cpuid_model = profile.cpuid_model;
  report.cpuid_step = profile.cpuid_step;
  report.chip_id = authority.chip_id();
  report.committed_tcb = encode_tcb(product, machine.committed_tcb);
  report.current = machine.current_version;
  report.committed = machine.committed_version;
  report.launch_tcb = encode_tcb(product, guest.launch_tcb);
  report.signature = TRY(authority.sign_report(octets_of(report).first(snp::kSignedReportBytes)));
  return report;
}

}  // namespace attestbed::sim
