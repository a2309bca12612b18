// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include <gtest/gtest.h>

#include "sim/hypervisor.h"
#include "sim/manual_clock.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

TEST(FaultPlan, PrintsAndReadsEveryFault) {
  const std::pair<Fault, const char*> kFaults[] = {
      {{1, false, FaultKind::busy, {}}, "1:busy"},
      {{3, true, FaultKind::busy, {}}, "3+:busy"},
      {{2, false, FaultKind::flip_bit, 32767}, "2:flip_bit:32767"},
      {{18446744073709551615U, false, FaultKind::wrong_page, {}}, "18446744073709551615:wrong_page"},
      {{1, true, FaultKind::silence, {}}, "1+:silence"},
      {{4, false, FaultKind::firmware_status, 29}, "4:firmware_status:29"},
      {{4, false, FaultKind::firmware_status, {}}, "4:firmware_status"},
  };
  for (const auto& [fault, text] : kFaults) {
    EXPECT_EQ(fault_text(fault), text);
    const auto parsed = parse_fault(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, fault) << text;
  }
  EXPECT_EQ(parse_fault("1:firmware_status:0x1d")->argument, 29U);
}

TEST(FaultPlan, RefusesWhatIsNoFault) {
  for (const char* text : {"",
                           ":",
                           "busy",
                           "0:busy",
                           "-1:busy",
                           "+:busy",
                           "1:",
                           "1:bust",
                           "1:busy:1",
                           "1:busy:",
                           "1:flip_bit",
                           "1:flip_bit:",
                           "1:flip_bit:32768",
                           "1:flip_bit:x",
                           "1:flip_bit:1:1",
                           "1:firmware_status:0x100000000",
                           "1 :busy",
                           "18446744073709551616:busy",
                           "1++:busy",
                           "1:wrong_page:0",
                           "1:silence:5"}) {
    const auto parsed = parse_fault(text);
    EXPECT_FALSE(parsed) << text;
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, Errc::bad_config);
    }
  }
}

TEST(FaultPlan, TakesTheFirstThatFits) {
  const FaultPlan plan{{2, false, FaultKind::silence, {}}, {2, true, FaultKind::busy, {}}};
  EXPECT_EQ(fault_at(plan, 1), nullptr);
  EXPECT_EQ(fault_at(plan, 2)->kind, FaultKind::silence);
  EXPECT_EQ(fault_at(plan, 3)->kind, FaultKind::busy);
}

/// CountingPort answers with the number of the call in the first octet.
class CountingPort final : public snp::GuestRequestPort {
 public:
  Result<snp::GuestRequestExit> call(const snp::Page&, snp::Page& reply, Deadline) override {
    reply.fill(0);
    reply[0] = ++calls;
    return snp::GuestRequestExit{};
  }
  std::uint8_t calls = 0;
};

class HypervisorTest : public testing::Test {
 protected:
  Result<snp::GuestRequestExit> call(Hypervisor& host) { return host.call({}, reply_, clock_.now() + 1s); }
  CountingPort firmware_;
  ManualClock clock_;
  snp::Page reply_{};
};

TEST_F(HypervisorTest, CarriesRequestsOnWithoutAPlan) {
  Hypervisor host(firmware_, {}, clock_);
  ASSERT_TRUE(call(host));
  EXPECT_EQ(reply_[0], 1);
}

TEST_F(HypervisorTest, BusyAndStatusNeverReachTheFirmware) {
  Hypervisor host(firmware_, {{1, false, FaultKind::busy, {}}, {2, false, FaultKind::firmware_status, 0x1d}}, clock_);
  EXPECT_EQ(call(host)->vmm, snp::kVmmBusy);
  EXPECT_EQ(call(host)->firmware, 0x1dU);
  EXPECT_EQ(firmware_.calls, 0);
  EXPECT_EQ(call(host)->vmm, 0U);
  EXPECT_EQ(firmware_.calls, 1);
}

TEST_F(HypervisorTest, FlipsTheBitItWasTold) {
  Hypervisor host(firmware_, {{1, false, FaultKind::flip_bit, 32767}}, clock_);
  ASSERT_TRUE(call(host));
  EXPECT_EQ(reply_[4095], 0x80);
  EXPECT_EQ(reply_[0], 1);
}

TEST_F(HypervisorTest, HandsBackThePageBefore) {
  Hypervisor host(firmware_, {{1, false, FaultKind::wrong_page, {}}, {3, false, FaultKind::wrong_page, {}}}, clock_);
  ASSERT_TRUE(call(host));
  EXPECT_EQ(reply_, snp::Page{}) << "there was none before the first";
  ASSERT_TRUE(call(host));
  EXPECT_EQ(reply_[0], 2);
  ASSERT_TRUE(call(host));
  EXPECT_EQ(reply_[0], 2);
}

TEST_F(HypervisorTest, SilenceLastsUntilTheDeadline) {
  Hypervisor host(firmware_, {{1, false, FaultKind::silence, {}}}, clock_);
  const Instant before = clock_.now();
  const auto exit = call(host);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Errc::deadline);
  EXPECT_EQ(clock_.now() - before, 1s);
  EXPECT_EQ(firmware_.calls, 1) << "the firmware did its part";
}

}  // namespace
}  // namespace attestbed::sim
