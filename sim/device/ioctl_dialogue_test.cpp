// SPDX-License-Identifier: Apache-2.0
#include "sim/device/ioctl_dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

#include "sim/device/driver_fixture.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kArgument = 0x1000, kQuestion = 0x2000, kResponse = 0x4000, kCerts = 0x8000;

/// Caller is a process with some memory, and the kernel's part of an unrestricted ioctl: it copies what a round asks
/// for, and writes what the last one gives, or ends the ioctl with EFAULT.
class Caller {
 public:
  explicit Caller(IoctlDialogue& dialogue) : dialogue_(dialogue), memory_(0x10000, 0xcc) {}

  template <class T>
  void put(std::uint64_t address, const T& value) {
    std::memcpy(memory_.data() + address, &value, sizeof value);
  }
  template <class T>
  T get(std::uint64_t address) const {
    T value;
    std::memcpy(&value, memory_.data() + address, sizeof value);
    return value;
  }
  Bytes at(std::uint64_t address, std::size_t size) const { return Bytes(memory_).subspan(address, size); }

  int ioctl(std::uint32_t request, std::uint64_t argument = kArgument) {
    std::vector<std::uint8_t> in;
    std::vector<UserRange> out;
    for (rounds = 1; rounds <= 5; ++rounds) {
      std::size_t room = 0;
      for (const UserRange& range : out) room += range.size;
      const IoctlReply reply = dialogue_.round(request, argument, in, room);
      if (!reply.again) return write(reply, out);
      EXPECT_LE(reply.in.size() + reply.out.size(), 6U);
      between(rounds);
      in.clear();
      for (const UserRange& range : reply.in) {
        EXPECT_LE(range.size, 112U);
        if (range.address + range.size > memory_.size()) return EFAULT;
        in.insert(in.end(), memory_.begin() + static_cast<std::ptrdiff_t>(range.address),
                  memory_.begin() + static_cast<std::ptrdiff_t>(range.address + range.size));
      }
      for (const UserRange& range : reply.out) EXPECT_LE(range.size, 0x4000U);
      out = reply.out;
    }
    ADD_FAILURE() << "an ioctl without end";
    return -1;
  }

  std::function<void(int)> between = [](int) {};  // what another thread of the caller does after a round
  int rounds = 0;

 private:
  int write(const IoctlReply& reply, const std::vector<UserRange>& out) {
    std::vector<std::uint8_t> octets;
    for (const Bytes data : reply.data) octets.insert(octets.end(), data.begin(), data.end());
    dialogue_.forget();
    Bytes left(octets);
    for (const UserRange& range : out) {
      const Bytes part = left.first(std::min(left.size(), range.size));
      if (range.address + part.size() > memory_.size()) return EFAULT;
      std::ranges::copy(part, memory_.begin() + static_cast<std::ptrdiff_t>(range.address));
      left = left.subspan(part.size());
    }
    EXPECT_TRUE(left.empty()) << "the kernel ends an ioctl with EIO that writes more than there is room for";
    return reply.error;
  }

  IoctlDialogue& dialogue_;
  std::vector<std::uint8_t> memory_;
};

class IoctlDialogueTest : public testing::Test {
 protected:
  static std::vector<std::uint8_t> table() { return std::vector<std::uint8_t>(5000, 0x5c); }
  IoctlDialogueTest() {
    snp_guest_request_ioctl argument{};
    argument.msg_version = 1;
    argument.req_data = kQuestion;
    argument.resp_data = kResponse;
    argument.exitinfo2 = 0x1122334455667788;
    caller_.put(kArgument, argument);
  }
  void ask_extended(std::uint64_t address, std::uint32_t octets) {
    snp_ext_report_req question{};
    question.data.user_data[0] = 0x77;
    question.certs_address = address;
    question.certs_len = octets;
    caller_.put(kQuestion, question);
  }
  std::uint64_t exitinfo2() const { return caller_.get<snp_guest_request_ioctl>(kArgument).exitinfo2; }
  std::uint32_t certs_len() const { return caller_.get<snp_ext_report_req>(kQuestion).certs_len; }
  bool untouched(std::uint64_t address, std::size_t size) const {
    return std::ranges::all_of(caller_.at(address, size), [](auto octet) { return octet == 0xcc; });
  }

  DriverUnderTest under_{{.certificates = table()}};
  IoctlDialogue dialogue_{*under_.driver};
  Caller caller_{dialogue_};
};

TEST_F(IoctlDialogueTest, ReportTakesThreeRounds) {
  snp_report_req question{};
  question.user_data[63] = 0x99;
  caller_.put(kQuestion, question);
  ASSERT_EQ(caller_.ioctl(SNP_GET_REPORT), 0);
  EXPECT_EQ(caller_.rounds, 3);
  const auto report = snp::parse_report_rsp(caller_.at(kResponse, 1216));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->report_data[63], 0x99);
  EXPECT_EQ(exitinfo2(), 0x1122334455667788U) << "as it was";
  EXPECT_TRUE(untouched(kResponse + 4000, 16));
}

TEST_F(IoctlDialogueTest, DerivedKeyHas64Octets) {
  caller_.put(kQuestion, snp_derived_key_req{});
  ASSERT_EQ(caller_.ioctl(SNP_GET_DERIVED_KEY), 0);
  EXPECT_EQ(caller_.get<std::uint32_t>(kResponse), 0U);
  EXPECT_FALSE(untouched(kResponse + 32, 32));
  EXPECT_TRUE(untouched(kResponse + 64, 16));
}

TEST_F(IoctlDialogueTest, ExtendedReportBringsCertificates) {
  ask_extended(kCerts, 0x2000);
  ASSERT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), 0);
  EXPECT_EQ(caller_.rounds, 4);
  EXPECT_EQ(caller_.get<std::uint8_t>(kResponse + 32 + 0x50), 0x77) << "REPORT_DATA";
  EXPECT_TRUE(std::ranges::equal(caller_.at(kCerts, 5000), table()));
  EXPECT_EQ(caller_.get<std::uint8_t>(kCerts + 5000), 0) << "zeros up to the end of the room";
  EXPECT_EQ(certs_len(), 0x2000U);
}

TEST_F(IoctlDialogueTest, TooLittleRoomIsToldInTheRequest) {
  for (const std::uint32_t room : {0U, 0x1000U}) {
    ask_extended(kCerts, room);
    ASSERT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), EIO);
    EXPECT_EQ(exitinfo2(), 1ULL << 32);
    EXPECT_EQ(certs_len(), 0x2000U);
    EXPECT_TRUE(untouched(kResponse, 4000));
    EXPECT_TRUE(untouched(kCerts, 0x4000));
  }
  // As the `sev` crate goes on: the size that it was told.
  ask_extended(kCerts, certs_len());
  EXPECT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), 0);
}

struct Refusal {
  const char* name;
  std::uint32_t request;
  std::function<void(snp_guest_request_ioctl&)> change;
  int error;
  bool says_not_called;
  int rounds;
};
class IoctlDialogueRefusals : public IoctlDialogueTest, public testing::WithParamInterface<Refusal> {};
TEST_P(IoctlDialogueRefusals, AreThoseOfTheDriver) {
  auto argument = caller_.get<snp_guest_request_ioctl>(kArgument);
  GetParam().change(argument);
  caller_.put(kArgument, argument);
  EXPECT_EQ(caller_.ioctl(GetParam().request), GetParam().error);
  EXPECT_EQ(exitinfo2(), GetParam().says_not_called ? 0xffU : 0x1122334455667788U);
  EXPECT_EQ(caller_.rounds, GetParam().rounds);
  EXPECT_TRUE(under_.port.requests.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, IoctlDialogueRefusals,
    testing::Values(Refusal{"NoVersion", SNP_GET_REPORT, [](auto& a) { a.msg_version = 0; }, EINVAL, false, 2},
                    Refusal{"Unknown", 0x5401, [](auto&) {}, ENOTTY, true, 2},
                    Refusal{"NoQuestion", SNP_GET_REPORT, [](auto& a) { a.req_data = 0; }, EINVAL, true, 2},
                    Refusal{"NoResponse", SNP_GET_EXT_REPORT, [](auto& a) { a.resp_data = 0; }, EINVAL, true, 2},
                    Refusal{"WildQuestion", SNP_GET_REPORT, [](auto& a) { a.req_data = 1ULL << 40; }, EFAULT, false,
                            2}),
    [](const auto& row) { return row.param.name; });

TEST_F(IoctlDialogueTest, AWildArgumentIsNeverRead) {
  EXPECT_EQ(caller_.ioctl(SNP_GET_REPORT, 1ULL << 40), EFAULT);
  EXPECT_EQ(caller_.rounds, 1);
}

TEST_F(IoctlDialogueTest, NoRangeIsAskedForBeforeItsSizeWasJudged) {
  for (const std::uint32_t octets : {0x5000U, 0x1001U, 0xfffff000U}) {
    ask_extended(kCerts, octets);
    EXPECT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), EINVAL);
    EXPECT_EQ(exitinfo2(), 0xffU);
    EXPECT_EQ(caller_.rounds, 3);
  }
  ask_extended(~0ULL - 0xfff, 0x1000);
  EXPECT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), EFAULT);
  EXPECT_TRUE(under_.port.requests.empty());
}

TEST_F(IoctlDialogueTest, AResponseThatCannotBeWrittenCostsNoKey) {
  auto argument = caller_.get<snp_guest_request_ioctl>(kArgument);
  argument.resp_data = 1ULL << 40;
  caller_.put(kArgument, argument);
  caller_.put(kQuestion, snp_report_req{});
  EXPECT_EQ(caller_.ioctl(SNP_GET_REPORT), EFAULT);
  argument.resp_data = kResponse;
  caller_.put(kArgument, argument);
  EXPECT_EQ(caller_.ioctl(SNP_GET_REPORT), 0);
}

TEST_F(IoctlDialogueTest, ACallerThatGrowsItsRoomMeanwhileGetsNothing) {
  ask_extended(kCerts, 0x1000);
  caller_.between = [this](int round) {
    if (round == 3) ask_extended(kCerts, 0x4000);
  };
  EXPECT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), EFAULT);
  EXPECT_EQ(exitinfo2(), 0xffU);
  EXPECT_TRUE(under_.port.requests.empty());
  EXPECT_TRUE(untouched(kCerts, 0x4000));
}

TEST_F(IoctlDialogueTest, ACallerThatShrinksItsRoomMeanwhileGetsThatMuch) {
  ask_extended(kCerts, 0x4000);
  caller_.between = [this](int round) {
    if (round == 3) ask_extended(kCerts, 0x2000);
  };
  EXPECT_EQ(caller_.ioctl(SNP_GET_EXT_REPORT), 0);
  EXPECT_TRUE(untouched(kCerts + 0x2000, 0x2000));
}

TEST_F(IoctlDialogueTest, OctetsThatNobodyAskedForAreRefused) {
  const std::vector<std::uint8_t> in = [this] {
    const Bytes argument = caller_.at(kArgument, 32);
    std::vector<std::uint8_t> out(argument.begin(), argument.end());
    out.resize(32 + 97);
    return out;
  }();
  const IoctlReply reply = dialogue_.round(SNP_GET_REPORT, kArgument, in, 1 << 20);
  EXPECT_FALSE(reply.again);
  EXPECT_EQ(reply.error, EFAULT);
}

}  // namespace
}  // namespace attestbed::sim
