// SPDX-License-Identifier: Apache-2.0
#include "sim/device/sev_guest_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace attestbed::sim {
namespace {

using Answer = SevGuestDriver::Answer;

constexpr std::uint64_t exit_of(std::uint32_t vmm) {
  return static_cast<std::uint64_t>(vmm) << 32;
}

// After BUSY the driver sends the same message again, and gives up at the first BUSY after a minute. The channel gives
// up when less than one more wait is left: hence one more.
constexpr std::chrono::seconds kBusyWait(2), kPatience(60);

// What access_ok refuses on x86-64: addresses of the kernel's half, and ranges that reach into it.
bool reaches_kernel(std::uint64_t address, std::size_t size) {
  constexpr std::uint64_t kKernelHalf = 1ULL << 63;
  return address >= kKernelHalf || size > kKernelHalf - address;
}

/// failure says what errno and exitinfo2 a message ends with that brought no payload.
Answer failure(const Error& why) {
  switch (why.code) {
    case Errc::firmware_busy:
      return {ETIMEDOUT, exit_of(snp::kVmmBusy)};
    case Errc::firmware_refused:
      return {EIO, why.found};
    case Errc::firmware_reply:
      return {EBADMSG, 0};  // the hypervisor had said success: exitinfo2 is 0, and 0 is not written
    case Errc::vmpck_lost:
      return {ENOTTY, 0};  // the driver looks for its key before it writes anything back
    default:
      return {EIO, kExitNoFirmwareCall};
  }
}

template <class Question>
Question question_from(Bytes octets) {
  Question question;
  std::memcpy(&question, octets.data(), sizeof question);
  return question;
}

}  // namespace

std::optional<SevGuestCopies> copies_of(std::uint32_t request) {
  switch (request) {
    case SNP_GET_REPORT:
      return SevGuestCopies{sizeof(snp_report_req), sizeof(snp_report_resp)};
    case SNP_GET_DERIVED_KEY:
      return SevGuestCopies{sizeof(snp_derived_key_req), sizeof(snp_derived_key_resp)};
    case SNP_GET_EXT_REPORT:
      return SevGuestCopies{sizeof(snp_ext_report_req), sizeof(snp_report_resp)};
    default:
      return std::nullopt;
  }
}

SevGuestDriver::SevGuestDriver(snp::Vmpck key, unsigned vmpck, snp::ExtendedGuestRequestPort& port, Clock& clock)
    : clock_(clock),
      channel_(std::move(key), port, clock, pages_,
               {.vmpck_number = vmpck, .busy_wait = kBusyWait, .extended = &port}) {}

SevGuestDriver::~SevGuestDriver() {
  forget();
}

void SevGuestDriver::forget() {
  wipe(response_);
  wipe(pages_.scratch);
}

std::optional<Answer> SevGuestDriver::check(std::uint32_t request, const snp_guest_request_ioctl& argument) {
  if (argument.msg_version == 0) return Answer{EINVAL};
  if (!copies_of(request)) return Answer{ENOTTY, kExitNotCalled};
  if (argument.req_data == 0 || argument.resp_data == 0) return Answer{EINVAL, kExitNotCalled};
  return std::nullopt;
}

std::size_t SevGuestDriver::room_of(const snp_ext_report_req& question) {
  return question.certs_address == 0 ? 0 : question.certs_len;
}

std::optional<Answer> SevGuestDriver::check_room(const snp_ext_report_req& question) {
  const std::size_t room = room_of(question);
  if (room > kMaxCertsBytes || room % snp::kPageBytes != 0) return Answer{EINVAL, kExitNotCalled};
  if (room > 0 && reaches_kernel(question.certs_address, room)) return Answer{EFAULT, kExitNotCalled};
  return std::nullopt;
}

Answer SevGuestDriver::call(std::uint32_t request, const snp_guest_request_ioctl& argument, Bytes question) {
  if (const auto refused = check(request, argument)) return *refused;
  if (question.size() != copies_of(request)->question) return {EFAULT, kExitNotCalled};
  switch (request) {
    case SNP_GET_REPORT:
      return report(argument.msg_version, question);
    case SNP_GET_DERIVED_KEY:
      return derived_key(argument.msg_version, question);
    default:
      return extended_report(argument.msg_version, question);
  }
}

Answer SevGuestDriver::report(std::uint8_t version, Bytes question) {
  return relay({snp::MsgType::report_req, version, question, sizeof(snp_report_resp)}, sizeof(snp_report_resp));
}

Answer SevGuestDriver::derived_key(std::uint8_t version, Bytes question) {
  return relay({snp::MsgType::key_req, version, question, sizeof(snp_derived_key_resp)}, sizeof(snp_derived_key_resp));
}

Answer SevGuestDriver::extended_report(std::uint8_t version, Bytes question) {
  const auto extended = question_from<snp_ext_report_req>(question);
  if (const auto refused = check_room(extended)) return *refused;
  // A host that says success and writes nothing gives no certificates, not the last caller's.
  const MutBytes room = MutBytes(certs_).first(room_of(extended));
  std::ranges::fill(room, std::uint8_t{0});
  Answer answer =
      relay({snp::MsgType::report_req, version, question.first(sizeof(snp_report_req)), sizeof(snp_report_resp), room},
            sizeof(snp_report_resp));
  if (answer.error == 0) answer.certs = room;
  return answer;
}

Answer SevGuestDriver::relay(const snp::GuestChannel::Relay& message, std::size_t response) {
  const auto relayed = channel_.relay(message, clock_.now() + kPatience + kBusyWait);
  const Result<Bytes>& payload = relayed.payload;
  if (relayed.pages_needed) {
    const bool busy = !payload && payload.error().code == Errc::firmware_busy;
    const std::uint32_t octets = *relayed.pages_needed * static_cast<std::uint32_t>(snp::kPageBytes);
    return {busy ? ETIMEDOUT : EIO, exit_of(snp::kVmmInvalidLen), octets};
  }
  if (!payload) return failure(payload.error());
  const MutBytes into = MutBytes(response_).first(response);
  std::ranges::fill(into, std::uint8_t{0});
  std::ranges::copy(*payload, into.begin());
  return {.error = 0, .exitinfo2 = 0, .certs_len = std::nullopt, .response = into};
}

}  // namespace attestbed::sim
