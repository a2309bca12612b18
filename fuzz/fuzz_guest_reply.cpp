// SPDX-License-Identifier: Apache-2.0
// Property: a guest channel takes a report only out of an authentic reply of the one legal form, whatever plaintext or
// message the firmware seals or a host without the key writes (the first octet says which); and after every failure but
// a plain status its key is gone.
#include <algorithm>

#include "core/base/reader.h"
#include "core/snp/guest_channel.h"
#include "fuzz/guest_request_ports.h"
#include "fuzz/must.h"
#include "sim/manual_clock.h"
#include "sim/sealing_port.h"

using namespace attestbed;
using namespace attestbed::snp;

namespace {

constexpr ByteArray<32> kKey{1, 2, 3};  // any key will do: both ends know it
constexpr std::chrono::seconds kBudget{10};

Result<Evidence> ask(GuestRequestPort& port, ChannelPages& pages) {
  sim::ManualClock clock;
  const Deadline until = clock.now() + kBudget;
  GuestChannel channel(Vmpck(std::span<const std::uint8_t, 32>(kKey)), port, clock, pages, {});
  const Result<Evidence> evidence = channel.report(ReportData{}, until);
  const bool keeps_key = evidence || evidence.error().code == Errc::firmware_status;
  fuzz::must(channel.usable() == keeps_key, "doubt destroys the key, and nothing else does");
  fuzz::must(clock.now() <= until, "the deadline holds");
  return evidence;
}

void check_accepted(const Evidence& evidence, Bytes payload) {
  fuzz::must(payload.size() == sizeof(MsgReportRsp), "an accepted reply has the one legal size");
  fuzz::must(std::ranges::equal(octets_of(evidence.report), payload.subspan(32)), "the report is what was sealed");
}

void check_plaintext(Bytes payload) {
  sim::SealingPort port(Vmpck(std::span<const std::uint8_t, 32>(kKey)), payload);
  ChannelPages pages{};
  if (const Result<Evidence> evidence = ask(port, pages)) check_accepted(*evidence, payload);
}

void check_message(Reader input) {
  const auto head = input.copy<ByteArray<4>>("type, version, vmpck, seqno");
  if (!head) return;
  const Bytes payload = *input.take(std::min(input.left(), kMaxPayloadBytes), "payload");
  if (payload.empty()) return;
  const Vmpck key{std::span<const std::uint8_t, 32>(kKey)};
  const GuestMessage reply{static_cast<MsgType>((*head)[0]), (*head)[1], (*head)[2], (*head)[3], payload};
  fuzz::MessagePort port(key, reply);
  ChannelPages pages{};
  const Result<Evidence> evidence = ask(port, pages);
  if (!evidence) return;
  fuzz::must(reply.type == MsgType::report_rsp && reply.version == 1 && reply.vmpck == 0 && reply.seqno == 2,
             "an accepted reply answers this request");
  check_accepted(*evidence, payload);
}

void check_host(Reader input) {
  const auto exit = input.copy<ByteArray<2>>("vmm, firmware");
  if (!exit) return;
  fuzz::HostPort port({.vmm = (*exit)[0], .firmware = (*exit)[1]}, *input.take(input.left(), "page"));
  ChannelPages pages{};
  fuzz::must(!ask(port, pages), "a host without the key has no report to give");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0:
      check_plaintext(input);
      break;
    case 1:
      check_host(Reader(input));
      break;
    default:
      check_message(Reader(input));
  }
  return 0;
}
