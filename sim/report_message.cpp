// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "sim/guest_messages.h"
#include "sim/make_report.h"

namespace attestbed::sim {
namespace {

constexpr std::uint32_t kMaxVmpl = 3;
constexpr std::uint32_t kKeySelBits = 3;

Answer refused(FirmwareStatus status, const char* why) {
  return {status, why, sizeof(snp::MsgReportRsp)};
}

}  // namespace

bool all_zero(Bytes octets) {
  return std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; });
}

bool vmpl_allowed(std::uint32_t vmpl, std::uint8_t vmpck) {
  return vmpl >= vmpck && vmpl <= kMaxVmpl;
}

snp::SigningKey select_vek(const Machine& machine, const GuestContext& guest, std::uint32_t key_sel) {
  const snp::SigningKey vcek = guest.vcek_disabled ? snp::SigningKey::none : snp::SigningKey::vcek;
  const snp::SigningKey vlek = machine.vlek_loaded ? snp::SigningKey::vlek : snp::SigningKey::none;
  switch (key_sel) {
    case snp::kKeySelVlekIfLoaded:
      return machine.vlek_loaded ? vlek : vcek;
    case snp::kKeySelVcek:
      return vcek;
    case snp::kKeySelVlek:
      return vlek;
    default:
      return snp::SigningKey::none;
  }
}

bool is_report_size(std::uint8_t, std::size_t size) {
  return size == sizeof(snp::MsgReportReq);
}

Result<Answer> answer_report(const Question& question, MutBytes reply) {
  snp::MsgReportReq request;
  std::memcpy(&request, question.payload.data(), sizeof request);
  if ((request.key_sel & ~kKeySelBits) != 0 || !all_zero(request.reserved)) {
    return refused(FirmwareStatus::invalid_param, "MSG_REPORT_REQ reserved bits");
  }
  snp::SigningKey key = select_vek(question.machine, question.guest, request.key_sel);
  if (key == snp::SigningKey::none) return refused(FirmwareStatus::invalid_key, "MSG_REPORT_REQ.KEY_SEL");
  if (!vmpl_allowed(request.vmpl, question.vmpck)) {
    return refused(FirmwareStatus::invalid_param, "MSG_REPORT_REQ.VMPL");
  }
  // Masking the chip key is no error of the guest's: it gets a report, and nobody's signature.
  if (key == snp::SigningKey::vcek && question.machine.mask_chip_key) key = snp::SigningKey::none;
  snp::MsgReportRsp answer{};
  answer.report_size = static_cast<std::uint32_t>(snp::kReportBytes);
  const ReportRequest wanted{.vmpl = request.vmpl, .report_data = request.report_data, .key = key};
  answer.report = TRY(make_report(question.machine, question.guest, wanted));
  std::memcpy(reply.data(), &answer, sizeof answer);
  return Answer{.size = sizeof answer};
}

}  // namespace attestbed::sim
