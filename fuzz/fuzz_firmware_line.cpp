// SPDX-License-Identifier: Apache-2.0
// Property: whatever a guest sends to the simulated firmware's socket, its conversation ends with the line, what comes
// back are whole answers of the two legal lengths, the secrets page is given once, and a report is made only of a page
// that was sealed under the guest's key. Input: piece:1, then steps: 0 octets (n:1 octets), 1 SECRETS, 2 a page of
// zeros, 3 a sealed message (type:1 version:1 vmpck:1 seqno:1 n:1 octets), 4 a sealed report request (vmpl:1). The
// pages of steps above 127 go as extended requests with room for (step / 8 % 8) pages of certificates, of which there
// are two.
#include <cstring>
#include <memory>
#include <optional>

#include "core/base/reader.h"
#include "core/posix/firmware_socket.h"
#include "core/snp/guest_message.h"
#include "fuzz/byte_transport.h"
#include "fuzz/must.h"
#include "sim/launch_config.h"
#include "sim/manual_clock.h"
#include "sim/serve_guest.h"

using namespace attestbed;
using fuzz::must;

namespace {

class Count final : public sim::ServeObserver {
 public:
  void launched(std::uint64_t) override {}
  void answered(std::uint64_t, const snp::GuestRequestExit& exit, const sim::CallRecord* call,
                const sim::Fault*) override {
    must(call != nullptr || exit.vmm == snp::kVmmInvalidLen, "without faults every request reaches the firmware");
    if (exit.vmm == 0 && exit.firmware == 0) ++replies;
  }
  void ended(std::uint64_t, const Error&) override {}
  void turned_away(const Error&) override {}
  std::size_t replies = 0;
};

const sim::LaunchConfig& config() {
  static const sim::LaunchConfig& launch =
      *new sim::LaunchConfig{sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(
                                 *sim::CertificateAuthority::of_default_seed(snp::Product::milan))),
                             sim::kDefaultPolicy,
                             {},
                             {},
                             sim::Seed{1}};
  return launch;
}

class Script {
 public:
  Script(const sim::Firmware& firmware, Bytes input) : firmware_(firmware), input_(input) {}

  std::vector<std::uint8_t> octets() {
    while (const auto step = input_.copy<ByteArray<1>>("step")) {
      room_ = (*step)[0] > 127 ? std::optional<std::uint32_t>((*step)[0] / 8 % 8) : std::nullopt;
      switch ((*step)[0] % 5) {
        case 0:
          append(some());
          break;
        case 1:
          head(posix::kFirmwareKindSecrets, 0);
          break;
        case 2:
          page(snp::Page{});
          break;
        case 3:
          message();
          break;
        default:
          request();
      }
    }
    return octets_;
  }
  /// sealed counts the messages that the firmware can open.
  std::size_t sealed() const { return sealed_; }

 private:
  std::uint8_t octet() {
    const auto one = input_.copy<ByteArray<1>>("operand");
    return one ? (*one)[0] : 0;
  }
  Bytes some() {
    const std::size_t size = octet();
    return *input_.take(std::min(size, input_.left()), "octets");
  }
  void append(Bytes octets) { octets_.insert(octets_.end(), octets.begin(), octets.end()); }
  void head(std::uint32_t kind, std::uint32_t length) {
    const posix::FirmwareRequestHead head{kind, length};
    append({reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
  }
  void page(const snp::Page& page) {
    if (room_) {
      const posix::FirmwareExtendedHead room{*room_, 0U};
      head(posix::kFirmwareKindExtendedRequest, sizeof room + snp::kPageBytes);
      append({reinterpret_cast<const std::uint8_t*>(&room), sizeof room});
    } else {
      head(posix::kFirmwareKindGuestRequest, snp::kPageBytes);
    }
    append(page);
  }
  void seal(const snp::GuestMessage& message) {
    snp::Page sealed{};
    const auto& keys = firmware_.guest().vmpcks;
    if (!seal_guest_message(keys[message.vmpck % std::size(keys)], message, sealed)) return;
    ++sealed_;
    page(sealed);
  }
  void message() {
    const auto type = static_cast<snp::MsgType>(octet());
    const std::uint8_t version = octet(), vmpck = octet(), seqno = octet();
    seal({type, version, vmpck, seqno, some()});
  }
  void request() {
    snp::MsgReportReq ask{};
    ask.vmpl = octet();
    seal({snp::MsgType::report_req, 1, 0, 2 * sealed_ + 1, {reinterpret_cast<const std::uint8_t*>(&ask), sizeof ask}});
  }

  const sim::Firmware& firmware_;
  Reader input_;
  std::vector<std::uint8_t> octets_;
  std::size_t sealed_ = 0;
  std::optional<std::uint32_t> room_;
};

void check_answers(Bytes sent) {
  Reader answers(sent);
  while (answers.left() > 0) {
    const auto head = answers.copy<posix::FirmwareAnswerHead>("head");
    must(bool(head), "answers are whole");
    must(head->pages == (head->vmm == snp::kVmmInvalidLen ? 2U : 0U), "and say how much room is needed");
    const bool success = head->vmm == 0 && head->firmware == 0;
    const std::size_t pages = head->length / snp::kPageBytes;
    must(head->length % snp::kPageBytes == 0 && (success ? pages == 1 || (pages >= 3 && pages <= 5) : pages == 0),
         "of a legal length");
    must(bool(answers.take(head->length, "body")), "with their page");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto context = sim::launch_guest(config(), 1);
  must(bool(context), "a guest is launched");
  const auto firmware = std::make_unique<sim::Firmware>(config().machine, *std::move(context));
  Script script(*firmware, Bytes(data, size).subspan(1));
  const std::vector<std::uint8_t> octets = script.octets();
  fuzz::ByteTransport line(octets, data[0]);
  sim::ManualClock clock;
  Count count;
  const sim::HostConfig host{.certificates = std::vector<std::uint8_t>(2 * snp::kPageBytes, 1)};
  const Error why = sim::serve_guest(line, clock, *firmware, host, {}, 1, count);
  must(why.code != Errc::internal, "the firmware has an answer to everything");
  must(count.replies <= script.sealed(), "only sealed messages are answered");
  check_answers(line.sent());
  return 0;
}
