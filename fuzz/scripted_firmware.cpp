// SPDX-License-Identifier: Apache-2.0
#include "fuzz/scripted_firmware.h"

#include <algorithm>
#include <cstring>

#include "core/snp/guest_message.h"
#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

using namespace std::chrono_literals;
using snp::GuestRequestExit;

enum What : std::uint8_t {
  honest,
  busy,
  exit_codes,
  line_broken,
  silent,
  slow,
  flipped_bit,
  request_back,  // hands the guest its own page
  status,
  other_data,
  other_number,
  other_type,
  kWhats
};

}  // namespace

ScriptedFirmware::ScriptedFirmware(const snp::Vmpck& key, Reader& script, sim::ManualClock& clock)
    : key_(key), clock_(clock) {
  const auto count = script.copy<ByteArray<1>>("firmware");
  for (unsigned n = count ? (*count)[0] % 16U : 0; n > 0; --n) {
    const auto step = script.copy<ByteArray<2>>("firmware");
    if (!step) return;
    steps_.push_back({static_cast<std::uint8_t>((*step)[0] % kWhats), (*step)[1]});
  }
}

Result<GuestRequestExit> ScriptedFirmware::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  must(until != kNever, "every firmware call has a deadline");
  const Step step = calls_ < steps_.size() ? steps_[calls_] : Step{honest, 0};
  ++calls_;

  snp::Page scratch;
  const Result<snp::GuestMessage> message = snp::open_guest_message(key_, request, scratch);
  must(message && message->type == snp::MsgType::report_req && message->payload.size() == sizeof(snp::MsgReportReq),
       "what the guest asks is a sealed report request");
  const auto [page, is_new] = pages_.try_emplace(message->seqno, request);
  must(is_new || page->second == request, "no sequence number is used for two plaintexts");
  snp::MsgReportReq asked;
  std::memcpy(&asked, message->payload.data(), sizeof asked);

  switch (step.what) {
    case busy:
      return GuestRequestExit{.vmm = snp::kVmmBusy, .firmware = 0};
    case exit_codes:
      return GuestRequestExit{.vmm = step.argument & 3U, .firmware = unsigned{step.argument} >> 2U};
    case line_broken:
      return Error{Errc::closed, "ScriptedFirmware"};
    case silent:
      clock_.wait_until(until);
      return Error{Errc::deadline, "ScriptedFirmware"};
    case slow:
      clock_.wait_until(std::min(until, clock_.now() + 100ms * step.argument));
      break;
    case request_back:
      reply = request;
      return GuestRequestExit{};
    default:
      break;
  }
  asked_.push_back(asked.report_data);
  answer(step, message->seqno + 1, asked.report_data, reply);
  return GuestRequestExit{};
}

void ScriptedFirmware::answer(const Step& step, std::uint64_t seqno, const snp::ReportData& data,
                              snp::Page& reply) const {
  snp::MsgReportRsp response{};
  response.report_size = sizeof response.report;
  response.report.version = 3;
  response.report.report_data = data;
  if (step.what == status) response.status = step.argument;
  if (step.what == other_data) response.report.report_data[step.argument % 64U] ^= 1;
  if (step.what == other_number) seqno += step.argument;
  auto type = snp::MsgType::report_rsp;
  if (step.what == other_type) type = static_cast<snp::MsgType>(step.argument);
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&response), sizeof response);
  must(bool(snp::seal_guest_message(key_, {type, 1, 0, seqno, payload}, reply)), "the firmware can seal");
  if (step.what == flipped_bit) reply[step.argument * 5U] ^= 1;
}

}  // namespace attestbed::fuzz
