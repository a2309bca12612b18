// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin_bodies.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/base64.h"
#include "core/base/secret.h"
#include "core/posix/describe.h"
#include "core/protocol/resource_path.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/service_config.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxName = 64;

Checked<void> known_members(const json& object, std::initializer_list<std::string_view> names, const char* what) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return Refusal{Errc::bad_value, what, "members that it has", verify::printable(name, kMaxName)};
  }
  return {};
}

Checked<bool> flag_of(const Members& object, const char* name) {
  const json* flag = object.find(name);
  if (flag == nullptr) return false;
  if (flag->is_boolean()) return flag->get<bool>();
  return Refusal{Errc::json_type, object.path_of(name), "true or false", flag->type_name()};
}

Checked<std::vector<std::string>> texts_of(const Members& object, const char* name) {
  const json* list = TRY(object.required(name));
  const Refusal wrong{Errc::json_type, object.path_of(name), "a list of strings", list->type_name()};
  if (!list->is_array()) return wrong;
  std::vector<std::string> texts;
  for (const json& item : *list) {
    if (!item.is_string()) return wrong;
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Checked<std::vector<std::uint8_t>> octets_of(Base64 alphabet, std::string_view text, const std::string& field) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const Result<MutBytes> decoded = base64_decode(alphabet, bytes_of(text), octets, "base64");
  if (!decoded) {
    return Refusal{Errc::bad_base64, field, "canonical base64",
                   "a wrong character at offset " + std::to_string(decoded.error().found)};
  }
  octets.resize(decoded->size());
  return octets;
}

Checked<std::string> entry_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (good) return std::string(name);
  return Refusal{Errc::bad_value, "entry", "1 to 64 letters, digits, '_' and '-'", verify::printable(name, kMaxName)};
}

Checked<void> read_measurements(const Members& body, ReferenceEntry& entry) {
  const std::vector<std::string> texts = TRY(texts_of(body, "measurements"));
  for (const std::string& hex : texts) {
    snp::Measurement measurement;
    std::string octets;
    if (!posix::from_hex(hex, octets) || octets.size() != measurement.size()) {
      return Refusal{Errc::bad_value, "measurements", "96 hex digits each", verify::printable(hex, 100)};
    }
    std::ranges::copy(bytes_of(octets), measurement.begin());
    entry.measurements.push_back(measurement);
  }
  return {};
}

Checked<void> read_roots(const Members& body, ReferenceEntry& entry) {
  const std::string_view roots = TRY(body.text("roots"));
  if (roots == "amd") {
    const auto amd = verify::TrustedRoots::amd().certificates();
    entry.roots.assign(amd.begin(), amd.end());
    return {};
  }
  const std::vector<verify::Certificate> given = TRY(verify::Certificate::parse(bytes_of(roots), "admin API"));
  const verify::TrustedRoots trusted = TRY(verify::TrustedRoots::from_certificates(given));
  entry.roots.assign(trusted.certificates().begin(), trusted.certificates().end());
  return {};
}

Checked<void> read_resources(const Members& body, ReferenceEntry& entry) {
  const json* resources = body.find("resources");
  if (resources == nullptr) return {};
  if (!resources->is_object()) {
    return Refusal{Errc::json_type, "resources", "an object of path and base64", resources->type_name()};
  }
  for (const auto& [path, value] : resources->items()) {
    const std::string field = "resources." + verify::printable(path, kMaxName);
    if (!protocol::ResourcePath::parse(path, "resource")) {
      return Refusal{Errc::bad_value, field, "repository/type/tag of letters, digits, '_', '-', '.'", "another path"};
    }
    if (!value.is_string()) return Refusal{Errc::json_type, field, "a string", value.type_name()};
    std::vector<std::uint8_t> octets = TRY(octets_of(Base64::standard, value.get_ref<const std::string&>(), field));
    SecretOctets secret(octets.size());
    std::ranges::copy(octets, secret.expose_mut().begin());
    wipe(octets);
    entry.resources.emplace(path, std::make_shared<const SecretOctets>(std::move(secret)));
  }
  return {};
}

Checked<PolicyRule> read_rule(const json& value, std::size_t index) {
  const std::string path = "rules[" + std::to_string(index) + "]";
  const Members rule = TRY(Members::of(value, path));
  TRY(known_members(value, {"name", "allow", "resource", "tee", "status", "entry"}, "rules"));
  PolicyRule made;
  TRY(rule.required("allow"));
  made.allow = TRY(flag_of(rule, "allow"));
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

ordered_json sizes_json(const SharedResources& resources) {
  ordered_json sizes = ordered_json::object();
  for (const auto& [path, secret] : resources) sizes[path] = secret->size();
  return sizes;
}

ordered_json entry_json(const ReferenceEntry& entry) {
  ordered_json measurements = ordered_json::array();
  for (const snp::Measurement& measurement : entry.measurements) measurements.push_back(verify::hex_text(measurement));
  ordered_json roots = ordered_json::array();
  for (const verify::Certificate& root : entry.roots) roots.push_back(verify::printable(root.common_name()));
  return {{"name", entry.name},
          {"measurements", measurements},
          {"binding", protocol::binding_name(entry.binding)},
          {"roots", roots},
          {"w1_exposed", entry.w1_exposed},
          {"allow_debug", entry.allow_debug},
          {"allow_migration_agent", entry.allow_migration_agent},
          {"resource_octets", sizes_json(entry.resources)}};
}

ordered_json faults_json(const FaultPlan& plan) {
  ordered_json faults = ordered_json::array();
  for (const Fault& fault : plan.faults) faults.push_back(fault_text(fault));
  return {{"seed", plan.seed}, {"faults", faults}};
}

}  // namespace

Checked<ReferenceEntry> decode_entry(std::string_view name, std::string_view body) {
  ReferenceEntry entry;
  entry.name = TRY(entry_name(name));
  const json value = TRY(parse_json(body, "body"));
  const Members members = TRY(Members::of(value, ""));
  TRY(known_members(
      value, {"measurements", "roots", "binding", "w1_exposed", "allow_debug", "allow_migration_agent", "resources"},
      "body"));
  TRY(read_measurements(members, entry));
  TRY(read_roots(members, entry));
  if (members.find("binding") != nullptr) {
    const std::string_view binding = TRY(members.text("binding"));
    const Result<protocol::Binding> named = protocol::binding_named(binding, "binding");
    if (!named) {
      return Refusal{Errc::bad_config, "binding", "svsm-sha512 or kbs-sha384", verify::printable(binding, kMaxName)};
    }
    entry.binding = *named;
  }
  entry.w1_exposed = TRY(flag_of(members, "w1_exposed"));
  entry.allow_debug = TRY(flag_of(members, "allow_debug"));
  entry.allow_migration_agent = TRY(flag_of(members, "allow_migration_agent"));
  TRY(read_resources(members, entry));
  return entry;
}

Checked<ResourcePolicy> decode_policy(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members members = TRY(Members::of(value, ""));
  const std::string_view encoded = TRY(members.text("policy"));
  const std::vector<std::uint8_t> octets = TRY(octets_of(Base64::url, encoded, "policy"));
  const std::string_view text = text_of(octets);
  if (!text.starts_with('{')) {
    const ResourcePolicy::Base named = TRY(read_base(text));
    return ResourcePolicy::make(named, {});
  }
  const json table = TRY(parse_json(text, "policy"));
  const Members policy = TRY(Members::of(table, "policy"));
  TRY(known_members(table, {"base", "rules"}, "policy"));
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
  TRY(known_members(value, {"seed", "faults"}, "body"));
  const std::vector<std::string> texts = TRY(texts_of(members, "faults"));
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
  for (const auto& entry : values.reference.entries()) entries.push_back(entry_json(*entry));
  ordered_json rules = ordered_json::array();
  for (const PolicyRule& rule : values.policy.rules()) rules.push_back(rule_json(rule));
  const ordered_json state = {{"entries", entries},
                              {"resource_octets", sizes_json(values.resources)},
                              {"policy", {{"base", policy_name(values.policy.base())}, {"rules", rules}}},
                              {"faults", faults_json(plan)},
                              {"sessions", sessions}};
  return state.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace attestbed::kbs
