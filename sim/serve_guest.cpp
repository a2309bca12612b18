// SPDX-License-Identifier: Apache-2.0
#include "sim/serve_guest.h"

#include <cstring>

#include "core/base/writer.h"
#include "core/posix/firmware_socket.h"

namespace attestbed::sim {
namespace {

using posix::FirmwareAnswerHead;
using posix::FirmwareRequestHead;
using posix::read_exactly;

/// Conversation is the state of one connection: which requests are legal depends on whether the secrets were fetched.
class Conversation {
 public:
  Conversation(Transport& line, Clock& clock, Firmware& firmware, const HostConfig& host, const ServeLimits& limits)
      : line_(line), clock_(clock), firmware_(firmware), host_(firmware, host, clock), limits_(limits) {}

  /// step serves one request.
  Status step(std::uint64_t guest, ServeObserver& observer) {
    const FirmwareRequestHead head = TRY(read_head());
    const Deadline until = clock_.now() + limits_.request;
    switch (head.kind) {
      case posix::kFirmwareKindSecrets:
        return serve_secrets(head);
      case posix::kFirmwareKindGuestRequest:
        TRY(read_request(head, {}, until));
        return serve_request(guest, observer);
      case posix::kFirmwareKindExtendedRequest:
        return serve_extended(head, until, guest, observer);
      default:
        return Error{Errc::bad_value, "request kind", head.kind, 0};
    }
  }

 private:
  Result<FirmwareRequestHead> read_head() {
    ByteArray<sizeof(FirmwareRequestHead)> octets;
    const std::size_t first = TRY(line_.read_some(octets, clock_.now() + limits_.idle));
    TRY(read_exactly(line_, MutBytes(octets).subspan(first), clock_.now() + limits_.request));
    FirmwareRequestHead head;
    std::memcpy(&head, octets.data(), sizeof head);
    return head;
  }

  Status serve_secrets(const FirmwareRequestHead& head) {
    if (head.length != 0) return Error{Errc::bad_length, "request length", head.length, 0};
    if (secrets_sent_) return Error{Errc::contradiction, "SECRETS twice"};
    secrets_sent_ = true;
    snp::Page page = firmware_.guest().secrets_page(firmware_.machine());
    const Status sent = send({}, page, {});
    wipe(page);
    return sent;
  }

  /// read_request reads what belongs before the page, and the page.
  Status read_request(const FirmwareRequestHead& head, MutBytes before, Deadline until) {
    const std::size_t expected = before.size() + snp::kPageBytes;
    if (head.length != expected) return Error{Errc::bad_length, "request length", head.length, expected};
    if (!secrets_sent_) return Error{Errc::contradiction, "GUEST_REQUEST before SECRETS"};
    TRY(read_exactly(line_, before, until));
    return read_exactly(line_, request_, until);
  }

  Status serve_request(std::uint64_t guest, ServeObserver& observer) {
    const snp::GuestRequestExit exit = TRY(host_.call(request_, reply_, clock_.now() + limits_.idle));
    tell(guest, exit, observer);
    return answer({exit, 0}, {});
  }

  Status serve_extended(const FirmwareRequestHead& head, Deadline until, std::uint64_t guest, ServeObserver& observer) {
    ByteArray<sizeof(posix::FirmwareExtendedHead)> octets;
    TRY(read_request(head, octets, until));
    posix::FirmwareExtendedHead room;
    std::memcpy(&room, octets.data(), sizeof room);
    if (room.pages > posix::kMaxCertificatePages) {
      return Error{Errc::too_large, "room for certificates, pages", room.pages, posix::kMaxCertificatePages};
    }
    if (room.reserved != 0) return Error{Errc::reserved_set, "extended request, reserved", room.reserved, 0};
    const MutBytes certs = MutBytes(certs_).first(room.pages * snp::kPageBytes);
    const snp::ExtendedExit exit = TRY(host_.call_extended(request_, certs, reply_, clock_.now() + limits_.idle));
    tell(guest, exit.exit, observer);
    return answer(exit, certs);
  }

  Status answer(const snp::ExtendedExit& exit, Bytes certs) {
    const Fault* fault = host_.last_fault();
    if (fault != nullptr && fault->kind == FaultKind::twice) TRY(send(exit, reply_, certs));
    return send(exit, reply_, certs);
  }

  void tell(std::uint64_t guest, const snp::GuestRequestExit& exit, ServeObserver& observer) {
    observer.answered(guest, exit, host_.reached_firmware() ? &firmware_.last_call() : nullptr, host_.last_fault());
  }

  /// send answers; the pages go along only if there are any to give.
  Status send(const snp::ExtendedExit& exit, Bytes page, Bytes certs) {
    const bool success = exit.exit.vmm == 0 && exit.exit.firmware == 0;
    ByteArray<sizeof(FirmwareAnswerHead) + (1 + posix::kMaxCertificatePages) * snp::kPageBytes> out;
    Writer writer(out);
    const std::size_t length = success ? page.size() + certs.size() : 0;
    writer.copy(
        FirmwareAnswerHead{exit.exit.vmm, exit.exit.firmware, static_cast<std::uint32_t>(length), exit.pages_needed});
    if (success) {
      writer.put(page);
      writer.put(certs);
    }
    const Bytes octets = TRY(writer.finish("firmware answer"));
    const Status sent = line_.write_all(octets, clock_.now() + limits_.request);
    wipe(MutBytes(out).first(octets.size()));
    return sent;
  }

  Transport& line_;
  Clock& clock_;
  Firmware& firmware_;
  Hypervisor host_;
  const ServeLimits& limits_;
  bool secrets_sent_ = false;
  snp::Page request_{}, reply_{};
  ByteArray<posix::kMaxCertificatePages * snp::kPageBytes> certs_{};
};

}  // namespace

Error serve_guest(Transport& line, Clock& clock, Firmware& firmware, const HostConfig& host, const ServeLimits& limits,
                  std::uint64_t guest, ServeObserver& observer) {
  Conversation conversation(line, clock, firmware, host, limits);
  while (true) {
    const Status status = conversation.step(guest, observer);
    if (!status) return status.error();
  }
}

}  // namespace attestbed::sim
