// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// Tee is the kind of evidence. `sample` is evidence without hardware: anyone can make it, so it proves nothing.
enum class Tee : std::uint8_t { snp, sample };
const char* tee_name(Tee tee);  // "snp", "sample"

/// TrustTier is `ear.status`, the worst tier of a token's trustworthiness vector (draft-ietf-rats-ar4si).
enum class TrustTier : std::uint8_t { none, affirming, warning, contraindicated };
const char* tier_name(TrustTier tier);  // "none", "affirming", "warning", "contraindicated"
std::optional<TrustTier> tier_named(std::string_view name);

/// PolicyRule allows or denies what it matches; an absent condition matches everything.
///   name      for the log, printable ASCII, at most 64 octets
///   resource  "*" for every path, or repository/type/tag of which each part may be "*"
///   entry     name of the guest's reference entry; evidence of `sample` has none
struct PolicyRule {
  std::string name = {};
  bool allow = false;
  std::string resource = "*";
  std::optional<Tee> tee = std::nullopt;
  std::optional<TrustTier> status = std::nullopt;
  std::optional<std::string> entry = std::nullopt;
};

/// ResourcePolicy decides who may have which resource. The first rule that matches decides; if none does, the base:
/// one of Trustee's four sample policies.
///   default_    any TEE but sample, whatever its status
///   affirming   tokens whose status is affirming
///   allow_all   everybody, deny_all nobody
class ResourcePolicy {
 public:
  enum class Base : std::uint8_t { default_, affirming, allow_all, deny_all };
  static constexpr std::size_t kMaxRules = 64;

  ResourcePolicy() = default;  // default_ without rules
  /// make checks the rules. Errors: bad_config; `field` is "policy.rule[N].member".
  static Checked<ResourcePolicy> make(Base base, std::vector<PolicyRule> rules);

  struct Question {
    std::string_view path;  // as the request has it
    Tee tee = Tee::snp;
    TrustTier status = TrustTier::none;
    std::string_view entry = {};  // empty for none
  };
  struct Decision {
    bool allowed = false;
    std::string rule;  // its name, or the base's
  };
  Decision decide(const Question& question) const;

  /// admits_sample is true if evidence that anyone can make may get a resource.
  bool admits_sample() const;

  Base base() const { return base_; }
  const std::vector<PolicyRule>& rules() const { return rules_; }

 private:
  Base base_ = Base::default_;
  std::vector<PolicyRule> rules_;
};

const char* policy_name(ResourcePolicy::Base base);  // "default", "affirming", "allow_all", "deny_all"
std::optional<ResourcePolicy::Base> policy_named(std::string_view name);

}  // namespace attestbed::kbs
