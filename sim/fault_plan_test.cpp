// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include <gtest/gtest.h>

namespace attestbed::sim {
namespace {

TEST(FaultPlan, PrintsAndReadsEveryFault) {
  const std::pair<Fault, const char*> kFaults[] = {
      {{1, false, FaultKind::busy, {}}, "1:busy"},
      {{3, true, FaultKind::busy, {}}, "3+:busy"},
      {{2, false, FaultKind::flip_bit, 32767}, "2:flip_bit:32767"},
      {{18446744073709551615U, false, FaultKind::wrong_page, {}}, "18446744073709551615:wrong_page"},
      {{1, true, FaultKind::silence, {}}, "1+:silence"},
      {{4, false, FaultKind::firmware_status, 29}, "4:firmware_status:29"},
      {{4, false, FaultKind::firmware_status, {}}, "4:firmware_status"},
      {{5, false, FaultKind::invalid_len, {}}, "5:invalid_len"},
      {{5, true, FaultKind::invalid_len, 65535}, "5+:invalid_len:65535"},
      {{6, false, FaultKind::torn, 4095}, "6:torn:4095"},
      {{6, true, FaultKind::twice, {}}, "6+:twice"},
      {{7, false, FaultKind::replay, {}}, "7:replay"},
      {{8, false, FaultKind::delay, 600000}, "8:delay:600000"},
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
                           "1:silence:5",
                           "1:invalid_len:65536",
                           "1:torn",
                           "1:torn:4096",
                           "1:twice:2",
                           "1:replay:2",
                           "1:delay",
                           "1:delay:600001"}) {
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

}  // namespace
}  // namespace attestbed::sim
