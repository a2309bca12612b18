// SPDX-License-Identifier: Apache-2.0
#include "core/posix/firmware_socket.h"

#include <cstring>

#include "core/base/secret.h"

namespace attestbed::posix {
namespace {

std::uint64_t both(const snp::GuestRequestExit& exit) {
  return static_cast<std::uint64_t>(exit.vmm) << 32 | exit.firmware;
}

}  // namespace

Status read_exactly(Transport& line, MutBytes into, Deadline until) {
  while (!into.empty()) {
    const std::size_t got = TRY(line.read_some(into, until));
    into = into.subspan(got);
  }
  return ok();
}

Result<std::unique_ptr<FirmwareSocket>> FirmwareSocket::connect(const std::string& path, Clock& clock, Deadline until) {
  Fd fd = TRY(connect_unix(path, clock, until));
  return std::unique_ptr<FirmwareSocket>(new FirmwareSocket(std::move(fd), clock));
}

Status FirmwareSocket::secrets_page(snp::Page& page, Deadline until) {
  const Result<snp::GuestRequestExit> exit = ask(kFirmwareKindSecrets, {}, page, until);
  if (exit && exit->vmm == 0 && exit->firmware == 0) return ok();
  wipe(page);
  if (!exit) return exit.error();
  return Error{Errc::firmware_refused, "secrets page", both(*exit), 0};
}

Result<snp::GuestRequestExit> FirmwareSocket::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  return ask(kFirmwareKindGuestRequest, request, reply, until);
}

Result<snp::GuestRequestExit> FirmwareSocket::ask(std::uint32_t kind, Bytes body, snp::Page& reply, Deadline until) {
  if (broken_) return Error{Errc::closed, "firmware socket"};
  const Result<snp::GuestRequestExit> exit = exchange(kind, body, reply, until);
  // A late answer to this request would be taken for the answer to the next.
  if (!exit) broken_ = true;
  return exit;
}

Result<snp::GuestRequestExit> FirmwareSocket::exchange(std::uint32_t kind, Bytes body, snp::Page& reply,
                                                       Deadline until) {
  // Head and body leave together: the server need not be woken twice.
  ByteArray<sizeof(FirmwareRequestHead) + snp::kPageBytes> out;
  const FirmwareRequestHead request{kind, static_cast<std::uint32_t>(body.size())};
  std::memcpy(out.data(), &request, sizeof request);
  if (!body.empty()) std::memcpy(out.data() + sizeof request, body.data(), body.size());
  TRY(line_.write_all(Bytes(out).first(sizeof request + body.size()), until));

  ByteArray<sizeof(FirmwareAnswerHead)> in;
  TRY(read_exactly(line_, in, until));
  FirmwareAnswerHead answer;
  std::memcpy(&answer, in.data(), sizeof answer);
  const snp::GuestRequestExit exit{answer.vmm, answer.firmware};
  const std::size_t expected = exit.vmm == 0 && exit.firmware == 0 ? snp::kPageBytes : 0;
  if (answer.reserved != 0) return Error{Errc::reserved_set, "firmware answer, reserved", answer.reserved, 0};
  if (answer.length != expected) return Error{Errc::bad_length, "firmware answer, length", answer.length, expected};
  TRY(read_exactly(line_, MutBytes(reply).first(expected), until));
  return exit;
}

}  // namespace attestbed::posix
