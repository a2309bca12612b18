// SPDX-License-Identifier: Apache-2.0
#include "core/posix/firmware_socket.h"

#include <algorithm>
#include <cstring>

#include "core/base/secret.h"
#include "core/base/writer.h"

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
  return over(std::move(fd), clock);
}

std::unique_ptr<FirmwareSocket> FirmwareSocket::over(Fd line, Clock& clock) {
  return std::unique_ptr<FirmwareSocket>(new FirmwareSocket(std::move(line), clock));
}

Status FirmwareSocket::secrets_page(snp::Page& page, Deadline until) {
  const auto answer = ask({.kind = kFirmwareKindSecrets, .head = {}, .page = {}, .reply = page, .certs = {}}, until);
  if (answer && answer->exit.vmm == 0 && answer->exit.firmware == 0) return ok();
  wipe(page);
  if (!answer) return answer.error();
  return Error{Errc::firmware_refused, "secrets page", both(answer->exit), 0};
}

Result<snp::GuestRequestExit> FirmwareSocket::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  const Question question{.kind = kFirmwareKindGuestRequest, .head = {}, .page = request, .reply = reply, .certs = {}};
  const snp::ExtendedExit answer = TRY(ask(question, until));
  return answer.exit;
}

Result<snp::ExtendedExit> FirmwareSocket::call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                                        Deadline until) {
  const std::size_t pages = std::min(certs.size() / snp::kPageBytes, kMaxCertificatePages);
  const FirmwareExtendedHead head{static_cast<std::uint32_t>(pages), 0U};
  return ask({.kind = kFirmwareKindExtendedRequest,
              .head = {reinterpret_cast<const std::uint8_t*>(&head), sizeof head},
              .page = request,
              .reply = reply,
              .certs = certs.first(pages * snp::kPageBytes)},
             until);
}

Result<snp::ExtendedExit> FirmwareSocket::ask(const Question& question, Deadline until) {
  if (broken_) return Error{Errc::closed, "firmware socket"};
  const Result<snp::ExtendedExit> answer = exchange(question, until);
  // A late answer to this request would be taken for the answer to the next.
  if (!answer) broken_ = true;
  return answer;
}

Result<snp::ExtendedExit> FirmwareSocket::exchange(const Question& question, Deadline until) {
  // Head and body leave together: the server need not be woken twice.
  ByteArray<sizeof(FirmwareRequestHead) + sizeof(FirmwareExtendedHead) + snp::kPageBytes> out;
  Writer writer(out);
  writer.copy(
      FirmwareRequestHead{question.kind, static_cast<std::uint32_t>(question.head.size() + question.page.size())});
  writer.put(question.head);
  writer.put(question.page);
  const Bytes request = TRY(writer.finish("firmware request"));
  TRY(line_.write_all(request, until));

  ByteArray<sizeof(FirmwareAnswerHead)> in;
  TRY(read_exactly(line_, in, until));
  FirmwareAnswerHead answer;
  std::memcpy(&answer, in.data(), sizeof answer);
  const snp::GuestRequestExit exit{answer.vmm, answer.firmware};
  const bool success = exit.vmm == 0 && exit.firmware == 0;
  const bool may_need = question.kind == kFirmwareKindExtendedRequest && exit.vmm == snp::kVmmInvalidLen;
  const std::size_t expected = success ? question.reply.size() + question.certs.size() : 0;
  if (answer.pages != 0 && !may_need) {
    return Error{Errc::reserved_set, "firmware answer, reserved", answer.pages, 0};
  }
  if (answer.length != expected) return Error{Errc::bad_length, "firmware answer, length", answer.length, expected};
  if (success) {
    TRY(read_exactly(line_, question.reply, until));
    TRY(read_exactly(line_, question.certs, until));
  }
  return snp::ExtendedExit{exit, answer.pages};
}

}  // namespace attestbed::posix
