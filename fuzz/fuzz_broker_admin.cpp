// SPDX-License-Identifier: Apache-2.0
// Property: what a broker's owner sends to a running broker is taken whole or refused in words fit for a log; a plan of
// faults that is taken reads back the same from its printed form, an entry has measurements' bounds and paths that are
// paths, and the state that shows them is JSON. The first octet chooses the body.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "core/protocol/resource_path.h"
#include "fuzz/must.h"
#include "mock-kbs/admin_bodies.h"
#include "mock-kbs/admin_entry.h"

using namespace attestbed;
using fuzz::must;

namespace {

void check_refusal(const kbs::Refusal& refusal) {
  for (const std::string* text : {&refusal.field, &refusal.expected, &refusal.found}) {
    must(text->size() <= 512, "a refusal is short");
    must(std::ranges::all_of(*text, [](char c) { return c >= ' ' && c <= '~'; }), "and printable");
  }
}

void check_state(const kbs::BrokerValues& values, const kbs::FaultPlan& plan) {
  must(nlohmann::json::accept(kbs::encode_state(values, plan, 0)), "the state is JSON");
}

void check_faults(std::string_view body) {
  const auto plan = kbs::decode_faults(body);
  if (!plan) return check_refusal(plan.error());
  const auto again = kbs::decode_faults(kbs::encode_faults(*plan));
  must(again && again->seed == plan->seed && again->faults == plan->faults, "a plan reads back the same");
  check_state({}, *plan);
}

void check_policy(std::string_view body) {
  const auto policy = kbs::decode_policy(body);
  if (!policy) return check_refusal(policy.error());
  must(policy->rules().size() <= kbs::ResourcePolicy::kMaxRules, "rules are bounded");
  kbs::BrokerValues values;
  values.policy = *policy;
  check_state(values, {});
}

void check_entry(std::string_view body) {
  const auto entry = kbs::decode_entry("fuzz", body);
  if (!entry) return check_refusal(entry.error());
  must(entry->name == "fuzz" && !entry->roots.empty(), "an entry has its name and roots");
  for (const auto& [path, secret] : entry->resources) {
    must(bool(protocol::ResourcePath::parse(path, "fuzz")), "a path is a path");
  }
  auto values = kbs::ReferenceValues::make({*entry});
  if (!values) return check_refusal(values.error());
  check_state({.reference = *std::move(values), .resources = {}, .policy = {}}, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*kChecks[])(std::string_view) = {check_faults, check_policy, check_entry};
  kChecks[data[0] % std::size(kChecks)](text_of(Bytes(data, size).subspan(1)));
  return 0;
}
