// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/fault.h"

#include <gtest/gtest.h>

namespace attestbed::sim {
namespace {

using Kind = KdsFaultKind;

TEST(KdsFault, ReadsEveryKind) {
  const struct {
    const char* text;
    KdsFault expected;
  } kFaults[] = {
      {"1:404", {1, false, Kind::status, 404, {}}},      {"2+:429", {2, true, Kind::status, 429, {}}},
      {"3:429:10", {3, false, Kind::status, 429, 10}},   {"4:599", {4, false, Kind::status, 599, {}}},
      {"5:delay:250", {5, false, Kind::delay, 0, 250}},  {"6:garbage", {6, false, Kind::garbage, 0, {}}},
      {"7:truncate", {7, false, Kind::truncate, 0, {}}}, {"8:truncate:0", {8, false, Kind::truncate, 0, 0}},
  };
  for (const auto& [text, expected] : kFaults) {
    const auto fault = parse_kds_fault(text);
    ASSERT_TRUE(fault) << text;
    EXPECT_EQ(*fault, expected) << text;
    EXPECT_EQ(kds_fault_text(*fault), text);
  }
}

TEST(KdsFault, RefusesEverythingElse) {
  for (const char* text : {"",
                           ":",
                           "1",
                           "1:",
                           "0:404",
                           "-1:404",
                           "1:200",
                           "1:403",
                           "1:600",
                           "1:404:1",
                           "1:500:1",
                           "1:delay",
                           "1:delay:",
                           "1:delay:-1",
                           "1:delay:600001",
                           "1:delay:1:2",
                           "1:garbage:1",
                           "1:truncate:x",
                           "x:404",
                           "1++:404",
                           "1:4040",
                           "1: 404",
                           "1:busy"}) {
    EXPECT_FALSE(parse_kds_fault(text)) << text;
  }
}

TEST(KdsFault, TheFirstThatFitsIsTaken) {
  const KdsFaultPlan plan{*parse_kds_fault("2:404"), *parse_kds_fault("2+:503")};
  EXPECT_EQ(kds_fault_at(plan, 1), nullptr);
  EXPECT_EQ(kds_fault_at(plan, 2), &plan[0]);
  EXPECT_EQ(kds_fault_at(plan, 3), &plan[1]);
  EXPECT_EQ(kds_fault_at(plan, 1000), &plan[1]);
}

}  // namespace
}  // namespace attestbed::sim
