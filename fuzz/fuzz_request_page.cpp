// SPDX-License-Identifier: Apache-2.0
// Property: the simulated firmware has an answer to every request page. A refusal by the mailbox leaves the reply and
// all counters alone, and only a sealed message of a served type escapes it; an answer opens under the same key, has
// the next number, type and length, moves one counter by two, and with a STATUS says nothing else. The same question
// under the next number is answered the same. Input: how:1, then a page (how even; the rest is zero), or (odd) flags:1
// type:1 version:1 vmpck:1 and the payload of a message that the guest seals. Flags: 1 VLEK loaded, 2 VCEK disabled, 4
// an ID block, 8 the chip key is not masked, so that a root of its own is used and reports are signed.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/reader.h"
#include "fuzz/must.h"
#include "sim/firmware.h"
#include "sim/seeded_entropy.h"

using namespace attestbed;
using fuzz::must;

namespace {

std::shared_ptr<const sim::CertificateAuthority> authority() {
  static const auto& made =
      *new std::shared_ptr<const sim::CertificateAuthority>(std::make_shared<const sim::CertificateAuthority>(
          *sim::CertificateAuthority::of_default_seed(snp::Product::milan)));
  return made;
}

/// Guest is a running guest and its firmware.
class Guest {
 public:
  explicit Guest(std::uint8_t flags) {
    sim::Machine machine = sim::Machine::of(authority());
    machine.vlek_loaded = (flags & 1) != 0;
    machine.mask_chip_key = (flags & 8) == 0;
    sim::SeededEntropy entropy(1, "fuzz request page");
    auto launch = sim::Launch::start(machine, sim::kDefaultPolicy, entropy);
    must(bool(launch), "a guest is launched");
    sim::GuestContext context = (*std::move(launch)).finish({});
    context.vcek_disabled = (flags & 2) != 0;
    if ((flags & 4) != 0) {
      context.guest_svn = 5;
      context.id_key_digest = {1};
      context.launch_mit_vector = 0xff;
    }
    firmware_ = std::make_unique<sim::Firmware>(machine, std::move(context));
  }

  /// call sends a page and returns whether it was answered.
  bool call(const snp::Page& page) {
    reply_.fill(0xee);
    const auto before = firmware_->guest().message_count;
    const auto exit = firmware_->call(page, reply_, kNever);
    must(bool(exit), "the firmware has an answer");
    must(exit->vmm == 0, "which is its own");
    const auto& after = firmware_->guest().message_count;
    if (exit->firmware == 0) {
      must(after[firmware_->last_call().vmpck] == before[firmware_->last_call().vmpck] + 2, "an answer is counted");
      return true;
    }
    must(after == before, "a refusal is not counted");
    must(std::ranges::all_of(reply_, [](std::uint8_t octet) { return octet == 0xee; }), "a refusal writes nothing");
    must(*firmware_->last_call().why != '\0', "a refusal has a reason");
    return false;
  }

  /// ask seals a message under the next number; the reply's payload, empty if the mailbox refused.
  std::vector<std::uint8_t> ask(snp::GuestMessage message) {
    const snp::Vmpck& key = firmware_->guest().vmpcks[message.vmpck];
    message.seqno = firmware_->guest().message_count[message.vmpck] + 1;
    snp::Page page{}, scratch{};
    must(bool(snp::seal_guest_message(key, message, page)), "a message is sealed");
    if (!call(page)) return {};
    const auto opened = snp::open_guest_message(key, reply_, scratch);
    must(bool(opened), "an answer opens");
    must(opened->seqno == message.seqno + 1 && opened->vmpck == message.vmpck && opened->version == message.version &&
             static_cast<int>(opened->type) == static_cast<int>(message.type) + 1,
         "and belongs to its question");
    const bool served = firmware_->last_call().status == sim::FirmwareStatus::success;
    must(served || sim::all_zero(opened->payload.subspan(4)), "a STATUS says nothing else");
    must(sim::all_zero(opened->payload.first(4)) == served, "STATUS is what the record says");
    return {opened->payload.begin(), opened->payload.end()};
  }

 private:
  std::unique_ptr<sim::Firmware> firmware_;
  snp::Page reply_{};
};

bool is_served(snp::MsgType type) {
  return type == snp::MsgType::report_req || type == snp::MsgType::key_req || type == snp::MsgType::tsc_info_req ||
         type == snp::MsgType::cpuid_req;
}

void check_page(Bytes input) {
  Guest guest(0);
  snp::Page page{};
  std::copy_n(input.begin(), std::min(input.size(), page.size()), page.begin());
  must(!guest.call(page), "nobody without the key is answered");
}

void check_message(Reader input) {
  const auto head = input.copy<ByteArray<4>>("flags, type, version, vmpck");
  if (!head) return;
  const Bytes payload = *input.take(std::min(input.left(), snp::kMaxPayloadBytes), "payload");
  if (payload.empty()) return;
  Guest guest((*head)[0]);
  const snp::GuestMessage message{static_cast<snp::MsgType>((*head)[1]), (*head)[2],
                                  static_cast<std::uint8_t>((*head)[3] % snp::kVmpckCount), 0, payload};
  const auto once = guest.ask(message);
  must(once.empty() || is_served(message.type), "only served types are answered");
  // A signature is random where nothing is seeded; but this authority is.
  must(guest.ask(message) == once, "the same question has the same answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  if (data[0] % 2 == 0) {
    check_page(input);
  } else {
    check_message(Reader(input));
  }
  return 0;
}
