// SPDX-License-Identifier: Apache-2.0
#include "sim/guest_messages.h"

#include "core/snp/cpuid_message.h"
#include "core/snp/tsc_info_message.h"
#include "sim/firmware_fixture.h"

namespace attestbed::sim {
namespace {

// Each rule of the mailbox (docs/firmware-socket.md, "The firmware answers") broken alone, in that order.
struct Rule {
  const char* name;
  std::uint32_t status;
  const char* why;
  void (*break_message)(MessagingGuest::Message& message, std::size_t& size);
  void (*break_page)(snp::Page& page);
};
constexpr auto kKeepMessage = [](MessagingGuest::Message&, std::size_t&) {};
constexpr auto kKeepPage = [](snp::Page&) {};
constexpr Rule kMailboxRules[] = {
    {"header version", 0x16, "message header HDR_VERSION", kKeepMessage, [](snp::Page& page) { page[0x31] = 2; }},
    {"header size", 0x16, "message header HDR_SIZE", kKeepMessage, [](snp::Page& page) { page[0x32] = 0x61; }},
    {"algorithm", 0x16, "message header ALGO", kKeepMessage, [](snp::Page& page) { page[0x30] = 2; }},
    {"size", 0x16, "message header MSG_SIZE", kKeepMessage, [](snp::Page& page) { page[0x36] = 0x68; }},
    {"VMPCK", 0x16, "message header MSG_VMPCK", kKeepMessage, [](snp::Page& page) { page[0x3c] = 4; }},
    {"tag", 0x0b, "message header AUTHTAG", kKeepMessage, [](snp::Page& page) { page[0x00] ^= 1; }},
    {"number", 0x1d, "message header MSG_SEQNO", [](auto& message, auto&) { message.seqno = 3; }, kKeepPage},
    {"version", 0x16, "message header MSG_VERSION", [](auto& message, auto&) { message.version = 9; }, kKeepPage},
    {"type", 0x16, "message header MSG_TYPE", [](auto& message, auto&) { message.type = snp::MsgType::vmrk_req; },
     kKeepPage},
    {"length", 0x16, "message header MSG_SIZE of this MSG_TYPE", [](auto&, auto& size) { size = 112; }, kKeepPage},
};

TEST_F(FirmwareTest, TwoBrokenRulesAreAnsweredByTheEarlier) {
  for (const Rule& first : kMailboxRules) {
    for (const Rule* second = &first; second != std::end(kMailboxRules); ++second) {
      Message message;
      std::size_t size = sizeof(snp::MsgReportReq);
      for (const Rule* rule : {&first, second}) rule->break_message(message, size);
      snp::Page page = sealed(message, std::vector<std::uint8_t>(size));
      for (const Rule* rule : {&first, second}) rule->break_page(page);
      // Broken twice, the tag would be whole again.
      if (second == &first && first.status == 0x0b) first.break_page(page);
      SCOPED_TRACE(std::string(first.name) + ", " + second->name);
      EXPECT_EQ(call(page), first.status);
      EXPECT_STREQ(firmware.last_call().why, first.why);
    }
  }
}

TEST_F(FirmwareTest, OneCounterServesAllMessagesOfAKey) {
  const snp::MsgTscInfoReq question{};
  ask({.seqno = 1, .type = snp::MsgType::tsc_info_req}, octets(question));
  EXPECT_EQ(call(sealed({.seqno = 1})), 0x1dU) << "a report under the number that the other message had";
  EXPECT_EQ(ask({.seqno = 3}, request()).status, 0U);
  EXPECT_EQ(call(sealed({.seqno = 1, .vmpck = 2, .key_of = 2}, octets(request(2)))), 0U) << "another key's is its own";
}

// A refusal inside the reply is an exchange like any other: the counter moves and the number is spent.
TEST_F(FirmwareTest, AStatusInTheReplySpendsItsNumber) {
  snp::MsgTscInfoReq question{};
  question.reserved[127] = 1;
  const auto payload = ask({.seqno = 1, .type = snp::MsgType::tsc_info_req}, octets(question));
  EXPECT_EQ(payload[0], 0x16);
  EXPECT_EQ(std::count(payload.begin() + 1, payload.end(), 0), 127);
  EXPECT_EQ(firmware.guest().message_count[0], 2U);
  EXPECT_STREQ(firmware.last_call().why, "MSG_TSC_INFO_REQ reserved bits");
  question.reserved[127] = 0;
  EXPECT_EQ(call(sealed({.seqno = 1, .type = snp::MsgType::tsc_info_req}, octets(question))), 0x1dU);
}

TEST_F(FirmwareTest, TellsTheTimeStampCountersScale) {
  const snp::MsgTscInfoReq question{};
  const auto payload = ask({.type = snp::MsgType::tsc_info_req}, octets(question));
  ASSERT_EQ(payload.size(), 128U);
  const auto info = snp::parse_tsc_info_rsp(payload);
  ASSERT_TRUE(info);
  EXPECT_EQ(*info, (snp::TscInfo{.scale = 0x100000000, .offset = 0, .factor = 200}));
  EXPECT_EQ(call(sealed({.seqno = 3, .type = snp::MsgType::tsc_info_req}, Bytes(payload).first(112))), 0x16U);
}

TEST_F(FirmwareTest, AnswersAsItsProcessorDoes) {
  struct Question {
    snp::MsgCpuidReq head{};
    snp::CpuidFunction functions[4]{};
  } question;
  question.head.count = 4;
  question.functions[0].eax_in = 0;
  question.functions[1].eax_in = 1;
  question.functions[2].eax_in = 0x8000001f;
  question.functions[3].eax_in = 0xd;
  question.functions[3].ecx_in = 1;
  question.functions[3].ebx = 0xffffffff;  // a host's claim
  const auto payload = ask({.type = snp::MsgType::cpuid_req}, octets(question));
  ASSERT_EQ(payload.size(), sizeof question);
  snp::MsgCpuidRsp head;
  snp::CpuidFunction functions[4];
  std::memcpy(&head, payload.data(), sizeof head);
  std::memcpy(functions, payload.data() + sizeof head, sizeof functions);
  EXPECT_EQ(head.status, 0U);
  EXPECT_EQ(head.count, 4U);
  const auto text = [](std::uint32_t value) { return std::string(reinterpret_cast<const char*>(&value), 4); };
  EXPECT_EQ(text(functions[0].ebx) + text(functions[0].edx) + text(functions[0].ecx), "AuthenticAMD");
  // CPUID 1 EAX of a Milan: extended family 0xa, base family 0xf, base model 1, stepping 1 (crate sev).
  EXPECT_EQ(functions[1].eax, 0x00a00f11U);
  EXPECT_EQ(functions[2].eax & 0x1aU, 0x1aU) << "SEV, SEV-ES, SEV-SNP";
  EXPECT_EQ(functions[2].ebx & 0x3fU, 51U) << "the C-bit";
  EXPECT_EQ(functions[3].eax_in, 0xdU);
  EXPECT_EQ(functions[3].ecx_in, 1U);
  EXPECT_EQ(functions[3].ebx, 0U) << "it has no such function, whatever the host says";
}

struct CpuidCase {
  const char* name;
  std::uint32_t count;
  std::size_t functions;
  std::uint32_t reserved0;
  std::uint64_t reserved1;
  std::uint32_t status;
};
class CpuidRequests : public FirmwareTest, public testing::WithParamInterface<CpuidCase> {};

TEST_P(CpuidRequests, AreCountedAndBounded) {
  const CpuidCase& c = GetParam();
  const snp::MsgCpuidReq head{c.count, c.reserved0, c.reserved1};
  std::vector<std::uint8_t> payload(octets(head).begin(), octets(head).end());
  payload.resize(16 + 48 * c.functions);
  const auto answer = ask({.type = snp::MsgType::cpuid_req}, payload);
  EXPECT_EQ(answer[0], c.status);
  EXPECT_EQ(answer.size(), c.status == 0 ? payload.size() : 16U);
}
INSTANTIATE_TEST_SUITE_P(Rules, CpuidRequests,
                         testing::Values(CpuidCase{"None", 0, 0, 0, 0, 0}, CpuidCase{"SixtyFour", 64, 64, 0, 0, 0},
                                         CpuidCase{"SixtyFive", 65, 65, 0, 0, 0x16},
                                         CpuidCase{"CountWraps", 0xffffffff, 2, 0, 0, 0x16},
                                         CpuidCase{"FewerThanCounted", 3, 2, 0, 0, 0x16},
                                         CpuidCase{"MoreThanCounted", 1, 2, 0, 0, 0x16},
                                         CpuidCase{"Reserved0", 1, 1, 0x80000000, 0, 0x16},
                                         CpuidCase{"Reserved1", 1, 1, 0, 1ULL << 63, 0x16}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SignedReports, AreSignedByTheSelectedKeyUnlessItIsMasked) {
  struct Case {
    const char* name;
    std::uint32_t key_sel;
    bool vlek_loaded, vcek_disabled, masked;
    std::uint32_t status, signing_key;
  };
  // SIGNING_KEY: 0 VCEK, 1 VLEK, 7 none.
  constexpr Case kCases[] = {
      {"VCEK", 0, false, false, false, 0, 0},
      {"VLEK if loaded", 0, true, false, false, 0, 1},
      {"VCEK beside a VLEK", 1, true, false, false, 0, 0},
      {"VLEK", 2, true, true, false, 0, 1},
      {"masked", 0, false, false, true, 0, 7},
      {"masked VCEK beside a VLEK", 1, true, false, true, 0, 7},
      {"VLEK of a masked chip", 0, true, false, true, 0, 1},
      {"disabled", 0, false, true, false, 0x27, 0},
      {"disabled and masked", 1, true, true, true, 0x27, 0},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    Machine machine = Machine::of(authority());
    machine.vlek_loaded = c.vlek_loaded;
    machine.mask_chip_key = c.masked;
    GuestContext context = launched(machine);
    context.vcek_disabled = c.vcek_disabled;
    MessagingGuest guest(machine, std::move(context));
    const snp::MsgReportRsp rsp = guest.ask({}, request(0, c.key_sel));
    EXPECT_EQ(rsp.status, c.status);
    if (c.status != 0) continue;
    EXPECT_EQ(snp::signing_key_bits(rsp.report.key_flags), c.signing_key);
    EXPECT_EQ(snp::chip_key_masked(rsp.report.key_flags), c.masked);
    EXPECT_EQ(all_zero(octets(rsp.report.signature)), c.signing_key == 7);
  }
}

TEST(SelectVek, FollowsKeySel) {
  struct Case {
    std::uint32_t key_sel;
    bool vlek_loaded, vcek_disabled;
    snp::SigningKey key;
  };
  using enum snp::SigningKey;
  constexpr Case kCases[] = {
      {0, false, false, vcek}, {0, true, false, vlek}, {0, true, true, vlek}, {0, false, true, none},
      {1, false, false, vcek}, {1, true, false, vcek}, {1, true, true, none}, {1, false, true, none},
      {2, false, false, none}, {2, true, false, vlek}, {2, true, true, vlek}, {3, true, false, none},
      {4, true, false, none},
  };
  for (const Case& c : kCases) {
    Machine machine = Machine::of(authority());
    machine.vlek_loaded = c.vlek_loaded;
    GuestContext guest = launched(machine);
    guest.vcek_disabled = c.vcek_disabled;
    EXPECT_EQ(select_vek(machine, guest, c.key_sel), c.key)
        << c.key_sel << (c.vlek_loaded ? " VLEK" : "") << (c.vcek_disabled ? " VCEK_DIS" : "");
  }
}

}  // namespace
}  // namespace attestbed::sim
