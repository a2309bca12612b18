// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/resource_policy.h"

#include <algorithm>
#include <array>

#include "core/protocol/resource_path.h"

namespace attestbed::kbs {
namespace {

using Base = ResourcePolicy::Base;

constexpr std::size_t kMaxRuleNameBytes = 64;
constexpr std::array kBases{Base::default_, Base::affirming, Base::allow_all, Base::deny_all};
constexpr std::array kTiers{TrustTier::none, TrustTier::affirming, TrustTier::warning, TrustTier::contraindicated};

// The part of a path before the next slash, which is taken off.
std::string_view next_part(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

// A pattern is a path once every part that is "*" is replaced by a name.
bool is_pattern(std::string_view pattern) {
  if (pattern == "*") return true;
  if (pattern.size() > protocol::kMaxResourcePathBytes) return false;
  std::string path;
  for (std::string_view rest = pattern; !rest.empty();) {
    const std::string_view part = next_part(rest);
    path += part == "*" ? "x" : part;
    path += '/';
  }
  // The last slash is the loop's own unless the pattern ended with one, which then makes an empty part.
  if (!pattern.ends_with('/') && !path.empty()) path.pop_back();
  return static_cast<bool>(protocol::ResourcePath::parse(path, "resource"));
}

bool matches(std::string_view pattern, std::string_view path) {
  if (pattern == "*") return true;
  if (std::ranges::count(path, '/') != 2) return false;
  for (int part = 0; part < 3; ++part) {
    const std::string_view wanted = next_part(pattern);
    const std::string_view found = next_part(path);
    if (wanted != "*" && wanted != found) return false;
  }
  return true;
}

bool matches(const PolicyRule& rule, const ResourcePolicy::Question& question) {
  return (!rule.tee || *rule.tee == question.tee) && (!rule.status || *rule.status == question.status) &&
         (!rule.entry || *rule.entry == question.entry) && matches(rule.resource, question.path);
}

Checked<void> check_rule(const PolicyRule& rule, std::size_t index) {
  const auto wrong = [&](const char* member, const char* expected, std::string_view found) {
    const std::string field = "policy.rule[" + std::to_string(index) + "]." + member;
    return Refusal{Errc::bad_config, field, expected, found.empty() ? "nothing" : verify::printable(found, 64)};
  };
  const bool named = !rule.name.empty() && rule.name.size() <= kMaxRuleNameBytes &&
                     std::ranges::all_of(rule.name, [](char c) { return c >= ' ' && c <= '~'; });
  if (!named) return wrong("name", "1 to 64 printable ASCII characters", rule.name);
  if (!is_pattern(rule.resource)) {
    return wrong("resource", "\"*\", or repository/type/tag of which each part may be \"*\"", rule.resource);
  }
  if (rule.entry && rule.entry->empty()) return wrong("entry", "the name of a reference entry", "");
  if (rule.entry && rule.tee == Tee::sample)
    return wrong("entry", "none beside tee sample, which has no entry", *rule.entry);
  return {};
}

bool base_allows(Base base, const ResourcePolicy::Question& question) {
  switch (base) {
    case Base::default_:
      return question.tee != Tee::sample;
    case Base::affirming:
      return question.status == TrustTier::affirming;
    case Base::allow_all:
      return true;
    case Base::deny_all:
      return false;
  }
  return false;
}

}  // namespace

const char* tee_name(Tee tee) {
  return tee == Tee::snp ? "snp" : "sample";
}

const char* tier_name(TrustTier tier) {
  switch (tier) {
    case TrustTier::none:
      return "none";
    case TrustTier::affirming:
      return "affirming";
    case TrustTier::warning:
      return "warning";
    case TrustTier::contraindicated:
      return "contraindicated";
  }
  return "unknown";
}

std::optional<TrustTier> tier_named(std::string_view name) {
  const auto* found = std::ranges::find(kTiers, name, [](TrustTier tier) { return std::string_view(tier_name(tier)); });
  if (found == kTiers.end()) return std::nullopt;
  return *found;
}

const char* policy_name(Base base) {
  switch (base) {
    case Base::default_:
      return "default";
    case Base::affirming:
      return "affirming";
    case Base::allow_all:
      return "allow_all";
    case Base::deny_all:
      return "deny_all";
  }
  return "unknown";
}

std::optional<Base> policy_named(std::string_view name) {
  const auto* found = std::ranges::find(kBases, name, [](Base base) { return std::string_view(policy_name(base)); });
  if (found == kBases.end()) return std::nullopt;
  return *found;
}

Checked<ResourcePolicy> ResourcePolicy::make(Base base, std::vector<PolicyRule> rules) {
  if (rules.size() > kMaxRules) {
    return Refusal{Errc::bad_config, "policy.rule", "at most " + std::to_string(kMaxRules) + " rules",
                   std::to_string(rules.size())};
  }
  for (std::size_t i = 0; i < rules.size(); ++i) TRY(check_rule(rules[i], i));
  ResourcePolicy policy;
  policy.base_ = base;
  policy.rules_ = std::move(rules);
  return policy;
}

ResourcePolicy::Decision ResourcePolicy::decide(const Question& question) const {
  for (const PolicyRule& rule : rules_) {
    if (matches(rule, question)) return {rule.allow, rule.name};
  }
  return {base_allows(base_, question), policy_name(base_)};
}

bool ResourcePolicy::admits_sample() const {
  const auto allows_sample = [](const PolicyRule& rule) { return rule.allow && rule.tee != Tee::snp && !rule.entry; };
  return base_ == Base::allow_all || std::ranges::any_of(rules_, allows_sample);
}

}  // namespace attestbed::kbs
