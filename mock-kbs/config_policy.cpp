// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "core/protocol/resource_path.h"
#include "mock-kbs/config_source.h"
#include "mock-kbs/tcb_components.h"

namespace attestbed::kbs {
namespace {

template <class Value>
struct Named {
  const char* name;
  Value value;
};

// One of a few words.
template <class Value, std::size_t N>
Checked<Value> word_at(const Source& source, const toml::node& node, const std::string& key,
                       const std::array<Named<Value>, N>& words) {
  const std::string text = TRY(text_at(source, node, key));
  std::string expected;
  for (const Named<Value>& word : words) {
    if (text == word.name) return word.value;
    expected += (expected.empty() ? "" : " or ") + std::string(word.name);
  }
  return source.wrong(node, key, expected, verify::printable(text, 64));
}

constexpr std::array<Named<NonceMode>, 2> kNonceModes{{{"strict", NonceMode::strict}, {"trustee", NonceMode::trustee}}};
constexpr std::array<Named<AppraisalMode>, 2> kAppraisals{
    {{"strict", AppraisalMode::strict}, {"trustee", AppraisalMode::trustee}}};
constexpr std::array<Named<Tee>, 2> kTees{{{"snp", Tee::snp}, {"sample", Tee::sample}}};

Checked<TrustTier> tier_at(const Source& source, const toml::node& node, const std::string& key) {
  const std::string text = TRY(text_at(source, node, key));
  const std::optional<TrustTier> tier = tier_named(text);
  if (tier) return *tier;
  return source.wrong(node, key, "none, affirming, warning or contraindicated", verify::printable(text, 64));
}

Checked<void> read_rule_key(const Source& source, const std::string& name, const toml::node& node, PolicyRule& rule) {
  const std::string key = "policy.rule." + verify::printable(name, 64);
  if (name == "name") {
    rule.name = TRY(text_at(source, node, key));
  } else if (name == "allow") {
    rule.allow = TRY(flag_at(source, node, key));
  } else if (name == "resource") {
    rule.resource = TRY(text_at(source, node, key));
  } else if (name == "tee") {
    rule.tee = TRY(word_at(source, node, key, kTees));
  } else if (name == "status") {
    rule.status = TRY(tier_at(source, node, key));
  } else if (name == "entry") {
    rule.entry = TRY(text_at(source, node, key));
  } else {
    return source.wrong(node, key, "name, allow, resource, tee, status or entry", "another key");
  }
  return {};
}

Checked<void> read_rules(const Source& source, const toml::node& node, PolicyOptions& policy) {
  const auto* list = node.as_array();
  if (list == nullptr) return source.wrong(node, "policy.rule", "[[policy.rule]] tables", kind_of(node));
  for (const toml::node& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) return source.wrong(item, "policy.rule", "[[policy.rule]] tables", kind_of(item));
    PolicyRule rule;
    rule.name = "rule-" + std::to_string(policy.rules.size() + 1);
    if (!table->contains("allow")) return source.wrong(item, "policy.rule.allow", "true or false", "nothing");
    for (const auto& [name, value] : *table) TRY(read_rule_key(source, std::string(name.str()), value, rule));
    policy.rules.push_back(std::move(rule));
  }
  return {};
}

Checked<void> read_shared(const Source& source, const toml::node& node, Options& options) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, "resources", "a table of path = file", kind_of(node));
  for (const auto& [path, file] : *table) {
    const std::string key = "resources.\"" + verify::printable(path.str(), 64) + "\"";
    const std::string name = TRY(text_at(source, file, key));
    if (!protocol::ResourcePath::parse(path.str(), "resource")) {
      return source.wrong(file, key, "repository/type/tag of letters, digits, '_', '-', '.'", "another path");
    }
    options.resources.emplace_back(path.str(), source.file(name));
  }
  return {};
}

Checked<std::uint32_t> nonce_octets_at(const Source& source, const toml::node& node) {
  const std::uint32_t octets = TRY(number_at(source, node, "nonce_octets"));
  if (octets == 16 || octets == 32) return octets;
  return source.wrong(node, "nonce_octets", "32, or 16 as kbs-test has it", std::to_string(octets));
}

}  // namespace

Checked<void> read_policy_table(const Source& source, const toml::node& node, Options& options) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, "policy", "a table", kind_of(node));
  PolicyOptions policy;
  policy.origin = source.place(node);
  for (const auto& [name, value] : *table) {
    const std::string key = "policy." + verify::printable(name.str(), 64);
    if (name.str() == "base") {
      const std::string base = TRY(text_at(source, value, key));
      const std::optional<ResourcePolicy::Base> named = policy_named(base);
      if (!named) {
        return source.wrong(value, key, "default, affirming, allow_all or deny_all", verify::printable(base, 64));
      }
      policy.base = *named;
    } else if (name.str() == "rule") {
      TRY(read_rules(source, value, policy));
    } else {
      return source.wrong(value, key, "base or [[policy.rule]]", "another key");
    }
  }
  options.policy = std::move(policy);
  return {};
}

Checked<bool> read_broker_key(const Source& source, const std::string& name, const toml::node& node, Options& options) {
  if (name == "nonce_mode") {
    options.nonce_mode = TRY(word_at(source, node, name, kNonceModes));
  } else if (name == "nonce_octets") {
    options.nonce_octets = TRY(nonce_octets_at(source, node));
  } else if (name == "nonce_seed") {
    options.nonce_seed = TRY(text_at(source, node, name));
  } else if (name == "appraisal") {
    options.appraisal = TRY(word_at(source, node, name, kAppraisals));
  } else if (name == "resources") {
    TRY(read_shared(source, node, options));
  } else {
    return false;
  }
  return true;
}

Checked<snp::Tcb> read_tcb(const Source& source, const toml::node& node, const std::string& key) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, key, "a table", kind_of(node));
  snp::Tcb tcb;
  for (const auto& [name, value] : *table) {
    const std::string part = key + "." + verify::printable(name.str(), 64);
    const std::string_view text = name.str();
    const auto* known =
        std::ranges::find(kTcbComponents, text, [](const TcbComponent& c) -> std::string_view { return c.name; });
    if (known == std::end(kTcbComponents)) {
      return source.wrong(value, part, kTcbComponentNames, "another key");
    }
    const auto* number = value.as_integer();
    if (number == nullptr) return source.wrong(value, part, "an integer from 0 to 255", kind_of(value));
    if (number->get() < 0 || number->get() > 255) {
      return source.wrong(value, part, "an integer from 0 to 255", std::to_string(number->get()));
    }
    tcb.*known->level = static_cast<std::uint8_t>(number->get());
  }
  return tcb;
}

}  // namespace attestbed::kbs
