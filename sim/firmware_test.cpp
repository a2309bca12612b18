// SPDX-License-Identifier: Apache-2.0
#include "sim/firmware.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "sim/firmware_fixture.h"
#include "sim/make_report.h"

namespace attestbed::sim {
namespace {

TEST_F(FirmwareTest, ReportSaysWhatTheGuestIs) {
  const snp::MsgReportRsp rsp = ask({}, request());
  EXPECT_EQ(rsp.status, 0U);
  EXPECT_EQ(rsp.report_size, 0x4a0U);
  const auto parsed = snp::parse_report(octets_of(rsp.report));
  ASSERT_TRUE(parsed);
  const snp::RawReport& report = *parsed;
  EXPECT_EQ(report.version, 3U);
  EXPECT_EQ(report.policy, 0x30000U);
  EXPECT_EQ(report.vmpl, 0U);
  EXPECT_EQ(report.signature_algo, 1U);
  EXPECT_EQ(report.key_flags, 0U);
  EXPECT_EQ(report.report_data, request().report_data);
  EXPECT_EQ(report.measurement, firmware.guest().measurement);
  EXPECT_EQ(report.host_data, (HostData{1, 2, 3}));
  EXPECT_EQ(report.report_id, firmware.guest().report_id);
  EXPECT_EQ(std::count(report.report_id_ma.begin(), report.report_id_ma.end(), 0xff), 32);
  // Octets of a real Milan report (samples: v3-milan).
  EXPECT_EQ(report.reported_tcb, (snp::TcbVersion{4, 0, 0, 0, 0, 0, 0x18, 0xdb}));
  EXPECT_EQ(report.cpuid_family, 0x19);
  EXPECT_EQ(report.cpuid_model, 0x01);
  EXPECT_EQ(report.cpuid_step, 0x01);
  EXPECT_EQ(report.platform_info, 0x25U);
  EXPECT_EQ(report.current.major, 1);
  EXPECT_EQ(report.current.minor, 55);
  EXPECT_EQ(report.current.build, 29);
  EXPECT_TRUE(text_of(report.chip_id).starts_with("attestbed-sim"));
  // R and S are little-endian: their upper octets are at the end, and zero.
  for (const std::uint8_t* number : {report.signature.r, report.signature.s}) {
    EXPECT_EQ(std::count(number + 48, number + 72, 0), 24);
    EXPECT_LT(std::count(number, number + 48, 0), 10);
  }
}

TEST_F(FirmwareTest, GenoaReportCarriesGenoasModel) {
  const Machine machine = Machine::of(authority(snp::Product::genoa));
  const auto report = make_report(machine, launched(machine), {.vmpl = 1});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->cpuid_model, 0x11);
  EXPECT_EQ(report->vmpl, 1U);
  EXPECT_EQ(report->reported_tcb, (snp::TcbVersion{0x0a, 0, 0, 0, 0, 0, 0x19, 0x54}));
}

TEST_F(FirmwareTest, TcbsAreKeptApartAndInOrder) {
  Machine machine = Machine::of(authority());
  machine.committed_tcb.microcode = 0xdc;
  machine.current_tcb.microcode = 0xdd;
  const auto report = make_report(machine, launched(machine), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reported_tcb[7], 0xdb);
  EXPECT_EQ(report->committed_tcb[7], 0xdc);
  EXPECT_EQ(report->current_tcb[7], 0xdd);
  EXPECT_EQ(report->launch_tcb[7], 0xdd);

  Machine committed_low = Machine::of(authority());
  committed_low.committed_tcb.snp = 0x17;
  EXPECT_EQ(make_report(committed_low, launched(committed_low), {}).error().code, Errc::tcb_order);
  Machine current_low = Machine::of(authority());
  current_low.current_tcb.boot_loader = 3;
  EXPECT_EQ(make_report(current_low, launched(current_low), {}).error().code, Errc::tcb_order);
}

TEST_F(FirmwareTest, SameSeedGivesTheSameReportAndReplyOctets) {
  Firmware again(Machine::of(authority()), launched(Machine::of(authority())));
  const snp::Page page = sealed({});
  snp::Page one, other;
  ASSERT_TRUE(firmware.call(page, one, kNever));
  ASSERT_TRUE(again.call(page, other, kNever));
  EXPECT_EQ(one, other);
}

TEST_F(FirmwareTest, RefusesEveryWrongHeaderFieldBeforeTheTag) {
  struct Case {
    const char* field;
    std::size_t offset;
    std::uint8_t value;
  };
  constexpr Case kCases[] = {
      {"ALGO", 0x30, 2},          {"HDR_VERSION", 0x31, 2},     {"HDR_SIZE", 0x32, 0x61},
      {"MSG_SIZE zero", 0x36, 0}, {"MSG_SIZE odd", 0x36, 0x68}, {"MSG_SIZE over the page", 0x37, 0x10},
      {"MSG_VMPCK", 0x3c, 4},
  };
  for (const Case& c : kCases) {
    snp::Page page = sealed({});
    page[c.offset] = c.value;
    EXPECT_EQ(call(page), 0x16U) << c.field;
  }
  EXPECT_EQ(call(sealed({})), 0U) << "none of them moved a counter";
}

TEST_F(FirmwareTest, RefusesEveryChangedAuthenticatedOctet) {
  const snp::Page good = sealed({});
  struct Case {
    const char* what;
    std::size_t offset;
  };
  constexpr Case kCases[] = {{"tag", 0x00},         {"tag", 0x0f},          {"MSG_SEQNO", 0x20}, {"MSG_TYPE", 0x34},
                             {"MSG_VERSION", 0x35}, {"reserved AAD", 0x5f}, {"payload", 0x60},   {"payload", 0xbf}};
  for (const Case& c : kCases) {
    snp::Page page = good;
    page[c.offset] ^= 0x01;
    EXPECT_EQ(call(page), 0x0bU) << c.what << " at " << c.offset;
  }
  snp::Page page = good;
  page[0x28] ^= 0x01;  // reserved and outside the authenticated part
  page[0x10] ^= 0x01;  // unused half of AUTHTAG
  page[0xc0] ^= 0x01;  // after the payload
  EXPECT_EQ(call(page), 0U);
}

TEST_F(FirmwareTest, RefusesAPageUnderAnotherKey) {
  EXPECT_EQ(call(sealed({.vmpck = 0, .key_of = 1})), 0x0bU);
  EXPECT_EQ(call(sealed({.vmpck = 1, .key_of = 0})), 0x0bU);
}

TEST_F(FirmwareTest, CountsOddAndEvenAndRefusesReplayAndGap) {
  EXPECT_EQ(call(sealed({.seqno = 0})), 0x1dU);
  EXPECT_EQ(call(sealed({.seqno = 2})), 0x1dU);
  EXPECT_EQ(call(sealed({.seqno = 3})), 0x1dU);
  const snp::Page first = sealed({.seqno = 1});
  EXPECT_EQ(call(first), 0U);
  EXPECT_EQ(call(first), 0x1dU) << "replay";
  EXPECT_EQ(call(sealed({.seqno = 2})), 0x1dU);
  EXPECT_EQ(call(sealed({.seqno = 5})), 0x1dU) << "gap";
  EXPECT_EQ(call(sealed({.seqno = 3})), 0U);
  EXPECT_EQ(firmware.guest().message_count[0], 4U);
}

TEST_F(FirmwareTest, KeepsOneCounterPerKey) {
  for (std::uint8_t vmpck = 0; vmpck < 4; ++vmpck) {
    const snp::MsgReportRsp rsp = ask({.seqno = 1, .vmpck = vmpck, .key_of = vmpck}, request(3));
    EXPECT_EQ(rsp.status, 0U);
  }
  EXPECT_EQ(firmware.guest().message_count, (std::array<std::uint64_t, 4>{2, 2, 2, 2}));
}

TEST_F(FirmwareTest, RefusesToOverflowACounter) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  const auto at = [&](std::uint64_t count) {
    GuestContext context = launched(Machine::of(authority()));
    context.message_count[0] = count;
    Firmware counting(Machine::of(authority()), std::move(context));
    snp::Page answer;
    return counting.call(sealed({.seqno = count + 1}), answer, kNever)->firmware;
  };
  EXPECT_EQ(at(kMax - 3), 0U);
  EXPECT_EQ(at(kMax - 1), 0x1dU);
  EXPECT_EQ(at(kMax), 0x1dU);
}

TEST_F(FirmwareTest, RefusesUnknownMessagesAndVersions) {
  for (unsigned type = 0; type < 256; ++type) {
    if (type == 1 || type == 3 || type == 5 || type == 0x11) continue;
    EXPECT_EQ(call(sealed({.type = static_cast<snp::MsgType>(type)})), 0x16U) << type;
    EXPECT_STREQ(firmware.last_call().why, "message header MSG_TYPE") << type;
  }
  for (const unsigned type : {1u, 3u, 5u, 0x11u}) {
    for (unsigned version = 0; version < 256; ++version) {
      if (version == 1 || (type == 3 && version == 2)) continue;
      const Message message{.type = static_cast<snp::MsgType>(type), .version = static_cast<std::uint8_t>(version)};
      EXPECT_EQ(call(sealed(message)), 0x16U) << type << ' ' << version;
    }
  }
}

TEST_F(FirmwareTest, RefusesARequestOfAnotherLength) {
  const ByteArray<112> long_request{};
  EXPECT_EQ(call(sealed({}, Bytes(long_request).first(80))), 0x16U);
  EXPECT_EQ(call(sealed({}, long_request)), 0x16U);
}

struct PayloadCase {
  const char* name;
  std::uint8_t vmpck;
  std::uint32_t vmpl, key_sel;
  std::size_t reserved;  // offset of a set reserved octet in the request, 0 = none
  std::uint32_t status;
};
class ReportRequests : public FirmwareTest, public testing::WithParamInterface<PayloadCase> {};

TEST_P(ReportRequests, AreAnsweredWithAStatusAndMoveTheCounter) {
  const PayloadCase& c = GetParam();
  snp::MsgReportReq req = request(c.vmpl, c.key_sel);
  if (c.reserved != 0) reinterpret_cast<std::uint8_t*>(&req)[c.reserved] = 0x80;
  const snp::MsgReportRsp rsp = ask({.seqno = 1, .vmpck = c.vmpck, .key_of = c.vmpck}, req);
  EXPECT_EQ(rsp.status, c.status);
  EXPECT_EQ(firmware.guest().message_count[c.vmpck], 2U);
  EXPECT_EQ(static_cast<std::uint32_t>(firmware.last_call().status), c.status);
  if (c.status != 0) {
    const Bytes rest = octets(rsp).subspan(4);
    EXPECT_EQ(std::count(rest.begin(), rest.end(), 0), 1212) << "only STATUS means anything";
  } else {
    EXPECT_EQ(rsp.report.vmpl, c.vmpl);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Rules, ReportRequests,
    testing::Values(PayloadCase{"Vmpl0", 0, 0, 0, 0, 0}, PayloadCase{"Vmpl3", 0, 3, 0, 0, 0},
                    PayloadCase{"Vcek", 0, 0, 1, 0, 0}, PayloadCase{"VlekNotLoaded", 0, 0, 2, 0, 0x27},
                    PayloadCase{"KeySel3", 0, 0, 3, 0, 0x27}, PayloadCase{"KeySelReservedBit", 0, 0, 4, 0, 0x16},
                    PayloadCase{"KeySelTopBit", 0, 0, 0x80000000, 0, 0x16},
                    PayloadCase{"ReservedFirst", 0, 0, 0, 0x48, 0x16}, PayloadCase{"ReservedLast", 0, 0, 0, 0x5f, 0x16},
                    PayloadCase{"ReservedBeforeKey", 0, 0, 3, 0x48, 0x16},
                    PayloadCase{"KeyBeforeVmpl", 0, 4, 3, 0, 0x27}, PayloadCase{"Vmpl4", 0, 4, 0, 0, 0x16},
                    PayloadCase{"VmplMax", 0, 0xffffffff, 0, 0, 0x16}, PayloadCase{"Vmpck1Vmpl1", 1, 1, 0, 0, 0},
                    PayloadCase{"Vmpck1Vmpl0", 1, 0, 0, 0, 0x16}, PayloadCase{"Vmpck3Vmpl2", 3, 2, 0, 0, 0x16},
                    PayloadCase{"Vmpck3Vmpl3", 3, 3, 0, 0, 0}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(FirmwareTest, RecordsTheCallForLogs) {
  EXPECT_EQ(call(sealed({.seqno = 1})), 0U);
  EXPECT_EQ(firmware.last_call().seqno, 1U);
  EXPECT_EQ(firmware.last_call().report_data, request().report_data);
  EXPECT_EQ(call(sealed({.seqno = 1})), 0x1dU);
  EXPECT_EQ(firmware.last_call().mailbox, FirmwareStatus::aead_oflow);
  EXPECT_EQ(firmware.last_call().report_data, snp::ReportData{});
}

}  // namespace
}  // namespace attestbed::sim
