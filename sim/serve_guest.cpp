// SPDX-License-Identifier: Apache-2.0
#include "sim/serve_guest.h"

#include <cstring>

#include "core/posix/firmware_socket.h"

namespace attestbed::sim {
namespace {

using posix::FirmwareAnswerHead;
using posix::FirmwareRequestHead;
using posix::read_exactly;

/// Conversation is the state of one connection: which requests are legal depends on whether the secrets were fetched.
class Conversation {
 public:
  Conversation(Transport& line, Clock& clock, Firmware& firmware, const FaultPlan& faults, const ServeLimits& limits)
      : line_(line), clock_(clock), firmware_(firmware), host_(firmware, faults, clock), limits_(limits) {}

  /// step serves one request.
  Status step(std::uint64_t guest, ServeObserver& observer) {
    const FirmwareRequestHead head = TRY(read_head());
    const Deadline until = clock_.now() + limits_.request;
    if (head.kind == posix::kFirmwareKindSecrets) return serve_secrets(head);
    if (head.kind != posix::kFirmwareKindGuestRequest) return Error{Errc::bad_value, "request kind", head.kind, 0};
    if (head.length != snp::kPageBytes) return Error{Errc::bad_length, "request length", head.length, snp::kPageBytes};
    if (!secrets_sent_) return Error{Errc::contradiction, "GUEST_REQUEST before SECRETS"};
    TRY(read_exactly(line_, request_, until));
    return serve_request(guest, observer);
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
    const Status sent = send({}, page);
    wipe(page);
    return sent;
  }

  Status serve_request(std::uint64_t guest, ServeObserver& observer) {
    const Result<snp::GuestRequestExit> exit = host_.call(request_, reply_, clock_.now() + limits_.idle);
    if (!exit) return exit.error();
    const Fault* fault = host_.last_fault();
    observer.answered(guest, *exit, host_.reached_firmware() ? &firmware_.last_call() : nullptr, fault);
    const bool page = exit->vmm == 0 && exit->firmware == 0;
    return send(*exit, page ? Bytes(reply_) : Bytes{});
  }

  Status send(const snp::GuestRequestExit& exit, Bytes body) {
    ByteArray<sizeof(FirmwareAnswerHead) + snp::kPageBytes> out;
    const FirmwareAnswerHead head{exit.vmm, exit.firmware, static_cast<std::uint32_t>(body.size()), 0U};
    std::memcpy(out.data(), &head, sizeof head);
    if (!body.empty()) std::memcpy(out.data() + sizeof head, body.data(), body.size());
    const Status sent = line_.write_all(Bytes(out).first(sizeof head + body.size()), clock_.now() + limits_.request);
    wipe(out);
    return sent;
  }

  Transport& line_;
  Clock& clock_;
  Firmware& firmware_;
  Hypervisor host_;
  const ServeLimits& limits_;
  bool secrets_sent_ = false;
  snp::Page request_{}, reply_{};
};

}  // namespace

Error serve_guest(Transport& line, Clock& clock, Firmware& firmware, const FaultPlan& faults, const ServeLimits& limits,
                  std::uint64_t guest, ServeObserver& observer) {
  Conversation conversation(line, clock, firmware, faults, limits);
  while (true) {
    const Status status = conversation.step(guest, observer);
    if (!status) return status.error();
  }
}

}  // namespace attestbed::sim
