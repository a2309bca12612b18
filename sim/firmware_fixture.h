// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "sim/firmware.h"
#include "sim/seeded_entropy.h"

// For tests of the firmware: a guest that seals its own messages, so that it can seal wrong ones.
namespace attestbed::sim {

inline std::shared_ptr<const CertificateAuthority> authority(snp::Product product = snp::Product::milan) {
  static const auto milan =
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan));
  static const auto genoa =
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::genoa));
  return product == snp::Product::genoa ? genoa : milan;
}

inline GuestContext launched(const Machine& machine, Seed seed = 1) {
  SeededEntropy entropy(seed, "firmware test");
  auto launch = Launch::start(machine, kDefaultPolicy, entropy);
  if (!launch || !launch->update({PageType::zero, 0x1000, {}, {}})) throw std::runtime_error("launch");
  return (*std::move(launch)).finish(HostData{1, 2, 3});
}

template <class T>
Bytes octets(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

/// request is a MSG_REPORT_REQ with REPORT_DATA a0, a1, …
inline snp::MsgReportReq request(std::uint32_t vmpl = 0, std::uint32_t key_sel = 0) {
  snp::MsgReportReq out{};
  for (std::size_t i = 0; i < out.report_data.size(); ++i) out.report_data[i] = static_cast<std::uint8_t>(0xa0 + i);
  out.vmpl = vmpl;
  out.key_sel = key_sel;
  return out;
}

/// MessagingGuest is a running guest and the firmware it talks to.
class MessagingGuest {
 public:
  MessagingGuest() : MessagingGuest(Machine::of(authority())) {}
  explicit MessagingGuest(const Machine& machine) : MessagingGuest(machine, launched(machine)) {}
  MessagingGuest(const Machine& machine, GuestContext context) : firmware(machine, std::move(context)) {}

  struct Message {
    std::uint64_t seqno = 1;
    std::uint8_t vmpck = 0;
    snp::MsgType type = snp::MsgType::report_req;
    std::uint8_t version = 1;
    unsigned key_of = 0;  // whose key seals
  };
  snp::Page sealed(const Message& message, Bytes payload) const {
    snp::Page page;
    const Status status =
        snp::seal_guest_message(firmware.guest().vmpcks[message.key_of],
                                {message.type, message.version, message.vmpck, message.seqno, payload}, page);
    EXPECT_TRUE(status);
    return page;
  }
  snp::Page sealed(const Message& message) const { return sealed(message, octets(request())); }

  /// call returns the mailbox status and checks that a refusal leaves page and counters alone.
  std::uint32_t call(const snp::Page& page) {
    reply.fill(0xee);
    const auto counters = firmware.guest().message_count;
    const auto exit = firmware.call(page, reply, kNever);
    EXPECT_TRUE(exit);
    if (!exit) return ~0U;
    EXPECT_EQ(exit->vmm, 0U);
    if (exit->firmware != 0) {
      EXPECT_EQ(firmware.guest().message_count, counters);
      EXPECT_EQ(std::count(reply.begin(), reply.end(), 0xee), 4096);
    }
    return exit->firmware;
  }

  /// ask sends a message that the mailbox accepts and returns the reply's payload, whose header it checks.
  std::vector<std::uint8_t> ask(const Message& message, Bytes payload) {
    EXPECT_EQ(call(sealed(message, payload)), 0U) << firmware.last_call().why;
    snp::Page scratch;
    const auto opened = snp::open_guest_message(firmware.guest().vmpcks[message.key_of], reply, scratch);
    EXPECT_TRUE(opened);
    if (!opened) return {};
    EXPECT_EQ(opened->seqno, message.seqno + 1);
    EXPECT_EQ(static_cast<int>(opened->type), static_cast<int>(message.type) + 1);
    EXPECT_EQ(opened->version, message.version);
    EXPECT_EQ(opened->vmpck, message.vmpck);
    return {opened->payload.begin(), opened->payload.end()};
  }
  snp::MsgReportRsp ask(const Message& message, const snp::MsgReportReq& req) {
    const auto payload = ask(message, octets(req));
    snp::MsgReportRsp rsp{};
    EXPECT_EQ(payload.size(), 1216U);
    std::memcpy(&rsp, payload.data(), std::min(payload.size(), sizeof rsp));
    return rsp;
  }

  Firmware firmware;
  snp::Page reply{};
};

class FirmwareTest : public testing::Test, protected MessagingGuest {};

}  // namespace attestbed::sim
