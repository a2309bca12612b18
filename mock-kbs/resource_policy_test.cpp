// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/resource_policy.h"

#include <gtest/gtest.h>

namespace attestbed::kbs {
namespace {

using Base = ResourcePolicy::Base;
using Question = ResourcePolicy::Question;

constexpr std::string_view kPath = "default/sample/test";

struct BaseCase {
  Base base;
  const char* name;
  Tee tee;
  TrustTier status;
  bool allowed;
};
// Trustee's sample policies in words: `default` any TEE but sample, `affirming` by ear.status alone.
constexpr BaseCase kBaseCases[] = {
    {Base::default_, "default", Tee::snp, TrustTier::affirming, true},
    {Base::default_, "default", Tee::snp, TrustTier::contraindicated, true},
    {Base::default_, "default", Tee::sample, TrustTier::affirming, false},
    {Base::affirming, "affirming", Tee::snp, TrustTier::affirming, true},
    {Base::affirming, "affirming", Tee::snp, TrustTier::warning, false},
    {Base::affirming, "affirming", Tee::snp, TrustTier::contraindicated, false},
    {Base::affirming, "affirming", Tee::snp, TrustTier::none, false},
    {Base::affirming, "affirming", Tee::sample, TrustTier::contraindicated, false},
    {Base::allow_all, "allow_all", Tee::sample, TrustTier::contraindicated, true},
    {Base::deny_all, "deny_all", Tee::snp, TrustTier::affirming, false},
};

TEST(ResourcePolicy, BasesDecideAsTrusteesSamplePolicies) {
  for (const BaseCase& c : kBaseCases) {
    const ResourcePolicy policy = *ResourcePolicy::make(c.base, {});
    const ResourcePolicy::Decision decision =
        policy.decide({.path = kPath, .tee = c.tee, .status = c.status, .entry = "guest"});
    EXPECT_EQ(decision.allowed, c.allowed) << c.name << " " << tee_name(c.tee) << " " << tier_name(c.status);
    EXPECT_EQ(decision.rule, c.name);
    EXPECT_EQ(policy_named(c.name), c.base);
  }
  EXPECT_FALSE(policy_named("allow-all"));
  EXPECT_FALSE(policy_named(""));
  EXPECT_TRUE(ResourcePolicy().decide({.path = kPath}).allowed);
}

struct RuleCase {
  const char* name;
  PolicyRule rule;
  Question question;
  bool matches;
};
const RuleCase kRuleCases[] = {
    {"Everything", {.name = "r"}, {.path = kPath}, true},
    {"ThatPath", {.name = "r", .resource = "default/sample/test"}, {.path = kPath}, true},
    {"AnotherTag", {.name = "r", .resource = "default/sample/key"}, {.path = kPath}, false},
    {"LongerTag", {.name = "r", .resource = "default/sample/tes"}, {.path = kPath}, false},
    {"AnyTag", {.name = "r", .resource = "default/sample/*"}, {.path = kPath}, true},
    {"AnyType", {.name = "r", .resource = "default/*/test"}, {.path = kPath}, true},
    {"AnyTagOfAnotherType", {.name = "r", .resource = "default/keys/*"}, {.path = kPath}, false},
    {"PathOfTwoParts", {.name = "r", .resource = "default/sample/*"}, {.path = "default/sample"}, false},
    {"PathOfFourParts", {.name = "r", .resource = "default/sample/*"}, {.path = "default/sample/test/x"}, false},
    {"Tee", {.name = "r", .tee = Tee::sample}, {.path = kPath, .tee = Tee::sample}, true},
    {"AnotherTee", {.name = "r", .tee = Tee::sample}, {.path = kPath}, false},
    {"Status", {.name = "r", .status = TrustTier::warning}, {.path = kPath, .status = TrustTier::warning}, true},
    {"AnotherStatus", {.name = "r", .status = TrustTier::warning}, {.path = kPath}, false},
    {"Entry", {.name = "r", .entry = "one"}, {.path = kPath, .entry = "one"}, true},
    {"AnotherEntry", {.name = "r", .entry = "one"}, {.path = kPath, .entry = "two"}, false},
};

class Rule : public testing::TestWithParam<RuleCase> {};
TEST_P(Rule, DecidesExactlyWhatItMatches) {
  for (const bool allow : {true, false}) {
    PolicyRule rule = GetParam().rule;
    rule.allow = allow;
    // A base of the other opinion, so that the decision shows whose it was.
    const auto policy = ResourcePolicy::make(allow ? Base::deny_all : Base::allow_all, {rule});
    ASSERT_TRUE(policy) << policy.error().text();
    const ResourcePolicy::Decision decision = policy->decide(GetParam().question);
    EXPECT_EQ(decision.allowed, GetParam().matches ? allow : !allow);
    EXPECT_EQ(decision.rule == "r", GetParam().matches);
  }
}
INSTANTIATE_TEST_SUITE_P(ResourcePolicy, Rule, testing::ValuesIn(kRuleCases),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(ResourcePolicy, TakesTheFirstRuleThatMatches) {
  const auto policy = ResourcePolicy::make(
      Base::deny_all,
      {{.name = "no-keys", .allow = false, .resource = "default/keys/*"}, {.name = "rest", .allow = true}});
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->decide({.path = "default/keys/disk"}).rule, "no-keys");
  EXPECT_FALSE(policy->decide({.path = "default/keys/disk"}).allowed);
  EXPECT_EQ(policy->decide({.path = kPath}).rule, "rest");
  EXPECT_TRUE(policy->decide({.path = kPath}).allowed);
}

struct BadRule {
  const char* name;
  PolicyRule rule;
  const char* field;
};
const BadRule kBadRules[] = {
    {"NameMissing", {}, "policy.rule[0].name"},
    {"NameOfTwoLines", {.name = "a\nb"}, "policy.rule[0].name"},
    {"NameNotAscii", {.name = "\xc3\xa9"}, "policy.rule[0].name"},
    {"NameTooLong", {.name = std::string(65, 'n')}, "policy.rule[0].name"},
    {"ResourceEmpty", {.name = "r", .resource = ""}, "policy.rule[0].resource"},
    {"ResourceOfTwoParts", {.name = "r", .resource = "a/b"}, "policy.rule[0].resource"},
    {"ResourceOfFourParts", {.name = "r", .resource = "a/b/c/d"}, "policy.rule[0].resource"},
    {"ResourceWithEmptyPart", {.name = "r", .resource = "a//c"}, "policy.rule[0].resource"},
    {"ResourceEndsWithSlash", {.name = "r", .resource = "a/b/"}, "policy.rule[0].resource"},
    {"ResourceEndsWithSlashAfterTheTag", {.name = "r", .resource = "a/b/c/"}, "policy.rule[0].resource"},
    {"ResourceBeginsWithSlash", {.name = "r", .resource = "/a/b/c"}, "policy.rule[0].resource"},
    {"ResourceClimbs", {.name = "r", .resource = "a/../c"}, "policy.rule[0].resource"},
    {"ResourceStarInAName", {.name = "r", .resource = "a/b*/c"}, "policy.rule[0].resource"},
    {"ResourceTooLong", {.name = "r", .resource = "a/b/" + std::string(189, 'c')}, "policy.rule[0].resource"},
    {"EntryEmpty", {.name = "r", .entry = ""}, "policy.rule[0].entry"},
    {"EntryOfSample", {.name = "r", .tee = Tee::sample, .entry = "e"}, "policy.rule[0].entry"},
};

TEST(ResourcePolicy, RefusesRulesThatCouldNotMean) {
  for (const BadRule& c : kBadRules) {
    const auto policy = ResourcePolicy::make(Base::default_, {c.rule});
    ASSERT_FALSE(policy) << c.name;
    EXPECT_EQ(policy.error().code, Errc::bad_config) << c.name;
    EXPECT_EQ(policy.error().field, c.field) << c.name;
  }
  const std::vector<PolicyRule> most(ResourcePolicy::kMaxRules, {.name = "r"});
  EXPECT_TRUE(ResourcePolicy::make(Base::default_, most));
  std::vector<PolicyRule> more = most;
  more.push_back({.name = "r"});
  EXPECT_FALSE(ResourcePolicy::make(Base::default_, more));
}

TEST(ResourcePolicy, KnowsWhetherItAdmitsWhatAnyoneCanMake) {
  EXPECT_FALSE(ResourcePolicy().admits_sample());
  EXPECT_FALSE(ResourcePolicy::make(Base::affirming, {})->admits_sample());
  EXPECT_FALSE(
      ResourcePolicy::make(Base::deny_all, {{.name = "snp", .allow = true, .tee = Tee::snp}})->admits_sample());
  EXPECT_FALSE(ResourcePolicy::make(Base::deny_all, {{.name = "one", .allow = true, .entry = "one"}})->admits_sample());
  EXPECT_FALSE(ResourcePolicy::make(Base::default_, {{.name = "none", .allow = false}})->admits_sample());
  EXPECT_TRUE(ResourcePolicy::make(Base::allow_all, {})->admits_sample());
  EXPECT_TRUE(ResourcePolicy::make(Base::default_, {{.name = "all", .allow = true}})->admits_sample());
  EXPECT_TRUE(
      ResourcePolicy::make(Base::deny_all, {{.name = "s", .allow = true, .tee = Tee::sample}})->admits_sample());
}

}  // namespace
}  // namespace attestbed::kbs
