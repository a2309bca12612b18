// SPDX-License-Identifier: Apache-2.0
#include "sim/firmware.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/snp/key_message.h"

namespace attestbed::sim {
namespace {

/// Served is a message that this firmware answers: versions 1 to `versions` of it.
struct Served {
  snp::MsgType type;
  std::uint8_t versions;
  bool (*is_size)(std::uint8_t version, std::size_t size);
  Result<Answer> (*answer)(const Question& question, MutBytes reply);
};
constexpr Served kServed[] = {
    {snp::MsgType::cpuid_req, 1, is_cpuid_size, answer_cpuid},
    {snp::MsgType::key_req, 2, is_key_size, answer_key},
    {snp::MsgType::report_req, 1, is_report_size, answer_report},
    {snp::MsgType::tsc_info_req, 1, is_tsc_info_size, answer_tsc_info},
};
constexpr std::uint8_t kLatestVersion = 2;

/// size_ok is one rule of step 6: octets come in blocks of 16, but for the one message whose structure has no such
/// size.
bool size_ok(const snp::GuestMessageHeader& header) {
  const bool key_request_2 = header.type == static_cast<std::uint8_t>(snp::MsgType::key_req) && header.version == 2 &&
                             header.payload_size == sizeof(snp::MsgKeyReq2);
  return header.payload_size != 0 && (header.payload_size % 16 == 0 || key_request_2) &&
         header.payload_size <= snp::kMaxPayloadBytes;
}

/// wrong_in_header is step 6 of the documented order: the field that is not as it must be, null if all are.
const char* wrong_in_header(const snp::GuestMessageHeader& header) {
  if (header.header_version != snp::kHeaderVersion) return "message header HDR_VERSION";
  if (header.header_size != snp::kHeaderBytes) return "message header HDR_SIZE";
  if (header.algo != snp::kAlgoAes256Gcm) return "message header ALGO";
  if (!size_ok(header)) return "message header MSG_SIZE";
  if (header.vmpck >= snp::kVmpckCount) return "message header MSG_VMPCK";
  return nullptr;
}

}  // namespace

Firmware::~Firmware() {
  wipe(scratch_);
  wipe(request_copy_);
  wipe(answer_);
}

Result<snp::GuestRequestExit> Firmware::call(const snp::Page& request, snp::Page& reply, Deadline) {
  last_ = {};
  last_.mailbox = TRY(handle(request, reply));
  return snp::GuestRequestExit{0, code_of(last_.mailbox)};
}

FirmwareStatus Firmware::refuse(FirmwareStatus status, const char* why) {
  last_.why = why;
  return status;
}

Result<FirmwareStatus> Firmware::handle(const snp::Page& request, snp::Page& reply) {
  // The page is shared with others: one copy, then only the copy is judged.
  request_copy_ = request;
  snp::GuestMessageHeader header;
  std::memcpy(&header, request_copy_.data(), sizeof header);
  last_.vmpck = header.vmpck;
  last_.type = header.type;
  last_.seqno = header.seqno;
  if (const char* wrong = wrong_in_header(header)) return refuse(FirmwareStatus::invalid_param, wrong);

  const std::uint64_t count = guest_.message_count[header.vmpck];
  const auto message = snp::open_guest_message(guest_.vmpcks[header.vmpck], request_copy_, scratch_);
  if (!message && message.error().code == Errc::firmware_reply) {
    return refuse(FirmwareStatus::bad_measurement, "message header AUTHTAG");
  }
  if (!message) return message.error();
  if (count > std::numeric_limits<std::uint64_t>::max() - 2 || message->seqno != count + 1) {
    return refuse(FirmwareStatus::aead_oflow, "message header MSG_SEQNO");
  }
  return serve(*message, reply);
}

Result<FirmwareStatus> Firmware::serve(const snp::GuestMessage& message, snp::Page& reply) {
  if (message.version == 0 || message.version > kLatestVersion) {
    return refuse(FirmwareStatus::invalid_param, "message header MSG_VERSION");
  }
  const Served* served = std::ranges::find(kServed, message.type, &Served::type);
  if (served == std::end(kServed)) return refuse(FirmwareStatus::invalid_param, "message header MSG_TYPE");
  if (message.version > served->versions) {
    return refuse(FirmwareStatus::invalid_param, "message header MSG_VERSION of this MSG_TYPE");
  }
  // A length that is not the type's is part of the message's form, so there is nothing to answer.
  if (!served->is_size(message.version, message.payload.size())) {
    return refuse(FirmwareStatus::invalid_param, "message header MSG_SIZE of this MSG_TYPE");
  }
  const Question question{machine_, guest_, message.vmpck, message.version, message.payload};
  const Answer answer = TRY(served->answer(question, answer_));
  last_.status = answer.status;
  last_.why = answer.why;
  const le32 status = code_of(answer.status);
  std::memcpy(answer_.data(), &status, sizeof status);
  if (served->type == snp::MsgType::report_req && answer.status == FirmwareStatus::success) {
    std::memcpy(last_.report_data.data(), message.payload.data(), last_.report_data.size());
  }
  const auto type = static_cast<snp::MsgType>(static_cast<std::uint8_t>(message.type) + 1);
  const MutBytes payload = MutBytes(answer_).first(answer.size);
  const Status sealed = snp::seal_guest_message(
      guest_.vmpcks[message.vmpck], {type, message.version, message.vmpck, message.seqno + 1, payload}, reply);
  wipe(payload);  // it may be a key; and every handler finds zeros
  if (!sealed) return sealed.error();
  guest_.message_count[message.vmpck] += 2;
  return FirmwareStatus::success;
}

}  // namespace attestbed::sim
