// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace attestbed::kbs {
namespace {

using Endpoint = FaultEndpoint;
using Kind = FaultKind;

TEST(FaultPlan, ReadsEveryForm) {
  const struct {
    const char* text;
    Fault expected;
  } kFaults[] = {
      {"resource:1:truncate", {.endpoint = Endpoint::resource, .kind = Kind::truncate}},
      {"auth:2+:503:5",
       {.endpoint = Endpoint::auth, .nth = 2, .onwards = true, .kind = Kind::status, .status = 503, .number = 5}},
      {"attest@guest=demo:1/10:delay:500",
       {.endpoint = Endpoint::attest, .guest = "demo", .one_in = 10, .kind = Kind::delay, .number = 500}},
      {"any@session=3:7:close", {.endpoint = Endpoint::any, .session = 3, .nth = 7, .kind = Kind::close}},
      {"connection:1000000:reset", {.endpoint = Endpoint::connection, .nth = 1'000'000, .kind = Kind::reset}},
      {"resource:1:secret:0", {.endpoint = Endpoint::resource, .kind = Kind::secret}},
      {"auth:1:401:PolicyDeny",
       {.endpoint = Endpoint::auth, .kind = Kind::status, .status = 401, .word = "PolicyDeny"}},
      {"auth:1:member-null:nonce", {.endpoint = Endpoint::auth, .kind = Kind::member_null, .word = "nonce"}},
      {"auth:1:trickle", {.endpoint = Endpoint::auth, .kind = Kind::trickle, .number = 100}},
      {"auth:1:version:0.1.1", {.endpoint = Endpoint::auth, .kind = Kind::version, .word = "0.1.1"}},
  };
  for (const auto& [text, expected] : kFaults) {
    const auto fault = parse_fault(text);
    ASSERT_TRUE(fault) << text << ": " << fault.error().text();
    EXPECT_EQ(*fault, expected) << text;
    EXPECT_EQ(fault_text(*fault), text);
  }
}

struct WrongFault {
  const char* text;
  const char* field;
};
constexpr WrongFault kWrong[] = {
    {"", "fault: form"},
    {"resource", "fault: form"},
    {"resource:1", "fault: form"},
    {"resource:1:delay:1:2", "fault: form"},
    {"healthz:1:close", "fault: endpoint"},
    {"Auth:1:close", "fault: endpoint"},
    {" auth:1:close", "fault: endpoint"},
    {"auth@:1:close", "fault: endpoint"},
    {"auth@who=1:1:close", "fault: endpoint"},
    {"connection@session=1:1:close", "fault: endpoint"},
    {"auth@session=:1:close", "fault: session"},
    {"auth@session=0:1:close", "fault: session"},
    {"auth@session=-1:1:close", "fault: session"},
    {"auth@guest=demo:1:close", "fault: guest"},
    {"attest@guest=:1:close", "fault: guest"},
    {"attest@guest=a b:1:close", "fault: guest"},
    {"auth::close", "fault: request"},
    {"auth:0:close", "fault: request"},
    {"auth:+:close", "fault: request"},
    {"auth:1++:close", "fault: request"},
    {"auth:-1:close", "fault: request"},
    {"auth:1000001:close", "fault: request"},
    {"auth:1/0:close", "fault: request"},
    {"auth:2/3:close", "fault: request"},
    {"auth:18446744073709551617:close", "fault: request"},
    {"auth:1:", "fault: kind"},
    {"auth:1:busy", "fault: kind"},
    {"auth:1:200", "fault: kind"},
    {"auth:1:jwe-tag", "fault: kind"},
    {"resource:1:nonce-empty", "fault: kind"},
    {"any:1:token-text", "fault: kind"},
    {"connection:1:delay", "fault: kind"},
    {"auth:1:close:1", "fault: argument of close"},
    {"auth:1:close:", "fault: argument of close"},
    {"auth:1:delay:", "fault: argument of delay"},
    {"auth:1:delay:-1", "fault: argument of delay"},
    {"auth:1:delay:120001", "fault: argument of delay"},
    {"auth:1:delay:1s", "fault: argument of delay"},
    {"resource:1:secret", "fault: argument of secret"},
    {"resource:1:secret:2097153", "fault: argument of secret"},
    {"auth:1:401:Unknown", "fault: argument of 401"},
    {"auth:1:member-null:a\"b", "fault: argument of member-null"},
};

TEST(FaultPlan, RefusesEverythingElseAndNamesThePart) {
  for (const auto& [text, field] : kWrong) {
    const auto fault = parse_fault(text);
    ASSERT_FALSE(fault) << text;
    EXPECT_EQ(fault.error().code, Errc::bad_config) << text;
    EXPECT_EQ(fault.error().field, field) << text;
    EXPECT_FALSE(fault.error().expected.empty()) << text;
  }
}

TEST(FaultPlan, EveryNameStandsForOneKindAndIsReadBack) {
  std::set<std::string> names;
  std::set<std::pair<Kind, int>> kinds;
  for (const FaultName& row : fault_names()) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_TRUE(kinds.insert({row.kind, row.status}).second);
    EXPECT_NE(row.endpoints, 0U);
    EXPECT_LE(row.usual, row.most);
    for (const Endpoint endpoint :
         {Endpoint::auth, Endpoint::attest, Endpoint::resource, Endpoint::any, Endpoint::connection}) {
      const std::string text = std::string(fault_endpoint_name(endpoint)) + ":1:" + row.name +
                               (row.argument == FaultArgument::needed ? ":1" : "");
      const auto fault = parse_fault(text);
      EXPECT_EQ(fault.has_value(), (row.endpoints >> static_cast<unsigned>(endpoint) & 1U) != 0) << text;
      if (fault) {
        EXPECT_EQ(fault_text(*fault), text);
      }
    }
    EXPECT_NE(fault_help().find(row.name), std::string::npos);
  }
  // Every kind has a name: the last of the enumeration is as far as they go.
  std::set<Kind> named;
  for (const auto& [kind, status] : kinds) named.insert(kind);
  EXPECT_EQ(named.size(), static_cast<std::size_t>(Kind::secret_other_guest) + 1);
}

TEST(FaultPlan, CountsFromOneOrOnwards) {
  const FaultPlan plan{.seed = 0, .faults = {*parse_fault("auth:2:close"), *parse_fault("auth:2+:close")}};
  EXPECT_FALSE(fault_fits(plan, 0, 1));
  EXPECT_TRUE(fault_fits(plan, 0, 2));
  EXPECT_FALSE(fault_fits(plan, 0, 3));
  EXPECT_FALSE(fault_fits(plan, 1, 1));
  EXPECT_TRUE(fault_fits(plan, 1, 2));
  EXPECT_TRUE(fault_fits(plan, 1, 1'000'000'000'000));
}

// Of 10000 requests one in ten is 1000 give or take; six standard deviations (30 each) hold for any seed worth having.
TEST(FaultPlan, ChoosesBySeed) {
  const Fault fault = *parse_fault("auth:1/10:close");
  std::set<std::vector<bool>> choices;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const FaultPlan plan{.seed = seed, .faults = {fault, fault}};
    for (const std::size_t index : {0U, 1U}) {
      std::vector<bool> chosen;
      for (std::uint64_t count = 1; count <= 10'000; ++count) chosen.push_back(fault_fits(plan, index, count));
      EXPECT_NEAR(static_cast<double>(std::ranges::count(chosen, true)), 1000, 180);
      choices.insert(chosen);
    }
  }
  EXPECT_EQ(choices.size(), 16U);
  const FaultPlan always{.seed = 1, .faults = {*parse_fault("auth:1/1:close")}};
  for (std::uint64_t count = 1; count <= 100; ++count) EXPECT_TRUE(fault_fits(always, 0, count));
}

}  // namespace
}  // namespace attestbed::kbs
