// SPDX-License-Identifier: Apache-2.0
#include "sim/device/ioctl_dialogue.h"

#include <cerrno>
#include <cstring>

namespace attestbed::sim {
namespace {

template <class T>
Bytes octets_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

std::size_t sum_of(const std::vector<UserRange>& ranges) {
  std::size_t sum = 0;
  for (const UserRange& range : ranges) sum += range.size;
  return sum;
}

IoctlReply again(std::vector<UserRange> in, std::vector<UserRange> out) {
  return {.again = true, .in = std::move(in), .out = std::move(out), .error = 0, .data = {}};
}

}  // namespace

IoctlReply IoctlDialogue::round(std::uint32_t request, std::uint64_t argument, Bytes in, std::size_t out_room) {
  const UserRange whole{argument, sizeof argument_};
  if (in.size() < sizeof argument_) return again({whole}, {whole});
  std::memcpy(&argument_, in.data(), sizeof argument_);
  if (const auto refused = SevGuestDriver::check(request, argument_)) return end(*refused);
  if (in.size() == sizeof argument_) return ask_for_question(request, argument);
  return answer(request, argument, in.subspan(sizeof argument_), out_room);
}

IoctlReply IoctlDialogue::ask_for_question(std::uint32_t request, std::uint64_t address) {
  const SevGuestCopies copies = *copies_of(request);
  const UserRange argument{address, sizeof argument_}, question{argument_.req_data, copies.question};
  const UserRange response{argument_.resp_data, copies.response};
  if (request == SNP_GET_EXT_REPORT) return again({argument, question}, {argument, question, response});
  return again({argument, question}, {argument, response});
}

IoctlReply IoctlDialogue::answer(std::uint32_t request, std::uint64_t address, Bytes question, std::size_t out_room) {
  IoctlReply first = ask_for_question(request, address);
  if (question.size() != first.in.back().size) return end({EFAULT, kExitNotCalled});
  std::size_t needed = sum_of(first.out);
  if (request == SNP_GET_EXT_REPORT) {
    std::memcpy(&extended_, question.data(), sizeof extended_);
    if (const auto refused = SevGuestDriver::check_room(extended_)) return end(*refused);
    const std::size_t room = SevGuestDriver::room_of(extended_);
    if (room > 0 && out_room == needed) {
      first.out.push_back({extended_.certs_address, room});
      return first;
    }
    needed += room;
  }
  // The room was promised for what the caller's memory said a round ago.
  if (out_room < needed) return end({EFAULT, kExitNotCalled});

  const SevGuestDriver::Answer given = driver_.call(request, argument_, question);
  IoctlReply reply = end(given);
  if (given.certs_len) {
    extended_.certs_len = *given.certs_len;
    reply.data = {octets_of(argument_), octets_of(extended_)};
  }
  if (given.error != 0) return reply;
  reply.data = {octets_of(argument_)};
  if (request == SNP_GET_EXT_REPORT) reply.data.push_back(octets_of(extended_));
  reply.data.push_back(given.response);
  if (!given.certs.empty()) reply.data.push_back(given.certs);
  return reply;
}

IoctlReply IoctlDialogue::end(const SevGuestDriver::Answer& answer) {
  IoctlReply reply;
  reply.error = answer.error;
  if (answer.exitinfo2 != 0) {
    argument_.exitinfo2 = answer.exitinfo2;
    reply.data = {octets_of(argument_)};
  }
  return reply;
}

}  // namespace attestbed::sim
