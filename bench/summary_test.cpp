// SPDX-License-Identifier: Apache-2.0
#include "bench/summary.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace attestbed::bench {
namespace {

using nlohmann::json;

constexpr Target kTable[] = {{"bench", "a.cost", "x", Bound::at_most, 1.5, "a over b"},
                             {"bench", "b.speed", "x", Bound::at_least, 5, "b over a"},
                             {"soak", "c.runs", "runs", Bound::at_least, 100, "counted"},
                             {"bench", "d.octets", "octets", Bound::at_most, 8, "counted", {"line/all", "octets"}}};

json output(const json& runs) {
  return {{"context", json::object()}, {"benchmarks", runs}};
}
json run(const char* counter, const json& value) {
  return {{"name", "target/anything"}, {"run_type", "iteration"}, {"label", "7 rounds"}, {counter, value}};
}
json after(const json& existing, const json& runs, std::string_view suite = "bench") {
  const std::vector<json> outputs{output(runs)};
  const auto rows = merged(existing, kTable, suite, outputs);
  return rows ? *rows : json("refused");
}
json row(const json& rows, std::string_view name) {
  for (const json& one : rows) {
    if (one["name"] == name) return one;
  }
  return nullptr;
}

TEST(Summary, HasOneRowForEachTargetInTheOrderOfTheTable) {
  const json rows = after(json::array(), json::array());
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0]["name"], "a.cost");
  EXPECT_EQ(rows[1]["name"], "b.speed");
  EXPECT_EQ(rows[2]["name"], "c.runs");
  EXPECT_EQ(rows[3]["name"], "d.octets");
}

TEST(Summary, StatesWhatWasMeasured) {
  const json rows = after(json::array(), json::array({run("a.cost", 1.25)}));
  EXPECT_EQ(row(rows, "a.cost"), (json{{"name", "a.cost"},
                                       {"value", 1.25},
                                       {"unit", "x"},
                                       {"goal", 1.5},
                                       {"met", true},
                                       {"how", "a over b; 7 rounds"}}));
}

TEST(Summary, WhatWasNotMeasuredIsNotMet) {
  const json missing = row(after(json::array(), json::array()), "a.cost");
  EXPECT_TRUE(missing["value"].is_null());
  EXPECT_EQ(missing["met"], false);
}

struct Edge {
  const char* name;
  const char* target;
  double value;
  bool met;
};
class SummaryGoal : public testing::TestWithParam<Edge> {};

TEST_P(SummaryGoal, IsMetOnItsSide) {
  const json rows = after(json::array(), json::array({run(GetParam().target, GetParam().value)}));
  EXPECT_EQ(row(rows, GetParam().target)["met"], GetParam().met);
}

INSTANTIATE_TEST_SUITE_P(
    Edges, SummaryGoal,
    testing::Values(Edge{"AtMostBelow", "a.cost", 1.49, true}, Edge{"AtMostEqual", "a.cost", 1.5, true},
                    Edge{"AtMostAbove", "a.cost", 1.51, false}, Edge{"AtLeastAbove", "b.speed", 5.1, true},
                    Edge{"AtLeastEqual", "b.speed", 5, true}, Edge{"AtLeastBelow", "b.speed", 4.9, false}),
    [](const auto& i) { return i.param.name; });

TEST(Summary, ACounterMayHaveAnotherNameInTheBenchmarkThatTheTableNames) {
  json line = run("octets", 7);
  EXPECT_TRUE(row(after(json::array(), json::array({line})), "d.octets")["value"].is_null());
  line["name"] = "line/all";
  EXPECT_EQ(row(after(json::array(), json::array({line})), "d.octets")["value"], 7);
}

TEST(Summary, ABenchmarkThatSkippedItselfMeasuredNothing) {
  json skipped = run("a.cost", 1.0);
  skipped["error_occurred"] = true;
  EXPECT_TRUE(row(after(json::array(), json::array({skipped})), "a.cost")["value"].is_null());
}

TEST(Summary, AnAggregateIsNoMeasurement) {
  json aggregate = run("a.cost", 0.01);
  aggregate["run_type"] = "aggregate";
  EXPECT_TRUE(row(after(json::array(), json::array({aggregate})), "a.cost")["value"].is_null());
}

TEST(Summary, ANumberThatIsNoneIsNoMeasurement) {
  for (const json& value : {json("NaN"), json(nullptr), json("Infinity")}) {
    EXPECT_TRUE(row(after(json::array(), json::array({run("a.cost", value)})), "a.cost")["value"].is_null());
  }
}

TEST(Summary, ALaterRunReplacesItsRowsAndForgetsWhatItDidNotMeasure) {
  const json first = after(json::array(), json::array({run("a.cost", 1.0), run("b.speed", 6.0)}));
  const json second = after(first, json::array({run("a.cost", 2.0)}));
  EXPECT_EQ(second.size(), 4U);
  EXPECT_EQ(row(second, "a.cost")["value"], 2.0);
  EXPECT_TRUE(row(second, "b.speed")["value"].is_null());
}

TEST(Summary, AnotherSuitesRowsStay) {
  const json bench = after(json::array(), json::array({run("a.cost", 1.0)}));
  const json both = after(bench, json::array({run("c.runs", 120.0)}), "soak");
  EXPECT_EQ(row(both, "a.cost")["value"], 1.0);
  EXPECT_EQ(row(both, "c.runs")["value"], 120.0);
  EXPECT_EQ(row(after(both, json::array()), "c.runs")["value"], 120.0);
}

TEST(Summary, ASuiteMeasuresNoTargetOfAnother) {
  const json rows = after(json::array(), json::array({run("c.runs", 120.0)}));
  EXPECT_TRUE(row(rows, "c.runs")["value"].is_null());
}

TEST(Summary, ARowThatIsInNoTableStays) {
  const json foreign{{"name", "other.thing"}, {"value", 3}, {"met", true}};
  const json rows = after(json::array({foreign}), json::array());
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[4], foreign);
}

TEST(Summary, WhatIsNoSummaryIsRefused) {
  for (const char* text : {"{}", "[1]", R"([{"value":1}])", R"([{"name":7}])", "null"}) {
    EXPECT_EQ(after(json::parse(text), json::array()), json("refused")) << text;
  }
  EXPECT_EQ(after(json::parse("[", nullptr, false), json::array()), json("refused"));
}

TEST(Summary, WhatIsNoOutputIsRefused) {
  for (const char* text : {"[]", "{}", R"({"benchmarks":{}})", R"({"benchmarks":[1]})"}) {
    const std::vector<json> outputs{json::parse(text)};
    EXPECT_FALSE(merged(json::array(), kTable, "bench", outputs)) << text;
  }
}

TEST(Summary, TheTableSaysWhatIsMetMissedAndAbsent) {
  const json rows = after(json::array(), json::array({run("a.cost", 1.25), run("b.speed", 4.0)}));
  EXPECT_EQ(text_table(rows),
            "target                            value       goal  met    unit\n"
            "a.cost                            1.250      1.500  yes    x\n"
            "b.speed                               4          5  NO     x\n"
            "c.runs                                -        100  absent runs\n"
            "d.octets                              -          8  absent octets\n");
}

TEST(Targets, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Target& target : targets()) EXPECT_TRUE(names.insert(target.name).second) << target.name;
}

}  // namespace
}  // namespace attestbed::bench
