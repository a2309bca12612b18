// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin_bodies.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "mock-kbs/admin_entry.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/service_config.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxName = 64;

Checked<PolicyRule> read_rule(const json& value, std::size_t index) {
  const std::string path = "policy.rules[" + std::to_string(index) + "]";
  const Members rule = TRY(Members::of(value, path));
  TRY(rule.only({"name", "allow", "resource", "tee", "status", "entry"}));
  PolicyRule made;
  made.name = "rule-" + std::to_string(index + 1);
  TRY(rule.required("allow"));
  made.allow = TRY(rule.flag("allow"));
  if (rule.find("name") != nullptr) made.name = TRY(rule.text("name"));
  if (rule.find("resource") != nullptr) made.resource = TRY(rule.text("resource"));
  if (rule.find("entry") != nullptr) made.entry = TRY(rule.text("entry"));
  if (rule.find("status") != nullptr) {
    const std::string_view status = TRY(rule.text("status"));
    made.status = tier_named(status);
    if (!made.status) {
      return Refusal{Errc::bad_config, rule.path_of("status"), "none, affirming, warning or contraindicated",
                     verify::printable(status, kMaxName)};
    }
  }
  if (rule.find("tee") != nullptr) {
    const std::string_view tee = TRY(rule.text("tee"));
    if (tee != tee_name(Tee::snp) && tee != tee_name(Tee::sample)) {
      return Refusal{Errc::bad_config, rule.path_of("tee"), "snp or sample", verify::printable(tee, kMaxName)};
    }
    made.tee = tee == tee_name(Tee::snp) ? Tee::snp : Tee::sample;
  }
  return made;
}

Checked<ResourcePolicy::Base> read_base(std::string_view name) {
  const auto base = policy_named(name);
  if (base) return *base;
  return Refusal{Errc::bad_config, "policy", "default, affirming, allow_all, deny_all or a table of rules",
                 verify::printable(name, kMaxName)};
}

ordered_json rule_json(const PolicyRule& rule) {
  ordered_json value = {{"name", rule.name}, {"allow", rule.allow}, {"resource", rule.resource}};
  if (rule.tee) value["tee"] = tee_name(*rule.tee);
  if (rule.status) value["status"] = tier_name(*rule.status);
  if (rule.entry) value["entry"] = *rule.entry;
  return value;
}

ordered_json faults_json(const FaultPlan& plan) {
  ordered_json faults = ordered_json::array();
  for (const Fault& fault : plan.faults) faults.push_back(fault_text(fault));
  return {{"seed", plan.seed}, {"faults", faults}};
}

}  // namespace

Checked<ResourcePolicy> decode_policy(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members members = TRY(Members::of(value, ""));
  const std::string_view encoded = TRY(members.text("policy"));
  const std::vector<std::uint8_t> octets = TRY(octets_of_base64(Base64::url, encoded, "policy"));
  const std::string_view text = text_of(octets);
  if (!text.starts_with('{')) {
    const ResourcePolicy::Base named = TRY(read_base(text));
    return ResourcePolicy::make(named, {});
  }
  const json table = TRY(parse_json(text, "policy"));
  const Members policy = TRY(Members::of(table, "policy"));
  TRY(policy.only({"base", "rules"}));
  const std::string_view base_name = TRY(policy.text("base"));
  const ResourcePolicy::Base base = TRY(read_base(base_name));
  const json* rules = policy.find("rules");
  if (rules != nullptr && !rules->is_array()) {
    return Refusal{Errc::json_type, "policy.rules", "a list", rules->type_name()};
  }
  std::vector<PolicyRule> made;
  for (std::size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
    PolicyRule rule = TRY(read_rule((*rules)[i], i));
    made.push_back(std::move(rule));
  }
  return ResourcePolicy::make(base, std::move(made));
}

Checked<FaultPlan> decode_faults(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members members = TRY(Members::of(value, ""));
  TRY(members.only({"seed", "faults"}));
  const std::vector<std::string> texts = TRY(members.texts("faults"));
  const json* seed = members.find("seed");
  if (seed != nullptr && !seed->is_number_unsigned()) {
    return Refusal{Errc::json_type, "seed", "an unsigned integer", seed->type_name()};
  }
  return make_fault_plan(texts, seed == nullptr ? 0 : seed->get<std::uint64_t>());
}

std::string encode_faults(const FaultPlan& plan) {
  return faults_json(plan).dump();
}

std::string encode_state(const BrokerValues& values, const FaultPlan& plan, std::size_t sessions) {
  ordered_json entries = ordered_json::array();
  for (const auto& entry : values.reference.entries()) entries.push_back(describe_entry(*entry));
  ordered_json rules = ordered_json::array();
  for (const PolicyRule& rule : values.policy.rules()) rules.push_back(rule_json(rule));
  const ordered_json state = {{"entries", entries},
                              {"resource_octets", secret_sizes(values.resources)},
                              {"policy", {{"base", policy_name(values.policy.base())}, {"rules", rules}}},
                              {"faults", faults_json(plan)},
                              {"sessions", sessions}};
  return state.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace attestbed::kbs
