// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "mock-kbs/reference_values.h"
#include "mock-kbs/resource_policy.h"

namespace attestbed::kbs {

/// SharedResources are secrets that belong to no entry: every guest that the resource policy admits may have them. An
/// entry's own resource of the same path comes first.
using SharedResources = std::map<std::string, std::shared_ptr<const SecretOctets>, std::less<>>;

/// BrokerValues is everything that the broker's owner decides and may change while it runs, at one moment.
struct BrokerValues {
  ReferenceValues reference;
  SharedResources resources;
  ResourcePolicy policy;
};

/// Reach says who can reach the broker's listener.
enum class Reach : std::uint8_t { loopback, beyond_loopback };

/// check_reach refuses values that would give secrets to whoever reaches the listener: a root that is not AMD's, or a
/// policy that admits `sample`, beyond loopback. Errors: bad_config.
Checked<void> check_reach(const BrokerValues& values, Reach reach);

/// check_rules refuses a rule of the policy for an entry that there is not. It would match nobody: if it was to deny,
/// all that it was to keep out came in. Errors: bad_config; `field` is "policy.rule[N].entry".
Checked<void> check_rules(const BrokerValues& values);

/// BrokerState is the BrokerValues of now. Each change is judged whole and takes effect at once and whole, or not at
/// all; a request works with the values that held when it began. Safe from any thread.
class BrokerState {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxSharedResources = 1024;
  static constexpr std::size_t kMaxSharedOctets = 64 * 1024 * 1024;

  /// make takes the values of the configuration, to which reset() returns.
  ///   errors  those of check_reach; bad_config for a rule of the policy that names no entry
  static Checked<std::unique_ptr<BrokerState>> make(BrokerValues configured, Reach reach);

  /// now is the values as they are; it stays as it is while the caller holds it.
  std::shared_ptr<const BrokerValues> now() const;

  /// put_entry adds an entry or replaces the one of its name.
  ///   errors  those of ReferenceValues::make and of check_reach; too_large above kMaxEntries
  Checked<void> put_entry(ReferenceEntry entry);
  /// remove_entry. Errors: bad_value if there is none of this name; bad_config while a rule of the policy names it.
  Checked<void> remove_entry(std::string_view name);

  /// put_resource adds a shared resource or replaces it.
  ///   errors  bad_value for a path that is none; bad_length for an empty secret; too_large for the bounds above
  Checked<void> put_resource(std::string_view path, SecretOctets secret);
  /// remove_resource. Errors: bad_value, too_large for a path that is none; resource_unknown if nothing is stored at
  /// `path`.
  Checked<void> remove_resource(std::string_view path);

  /// set_policy. Errors: those of check_reach; bad_config for a rule that names no entry.
  Checked<void> set_policy(ResourcePolicy policy);

  /// reset returns to the configured values.
  void reset();

 private:
  BrokerState(std::shared_ptr<const BrokerValues> configured, Reach reach)
      : configured_(std::move(configured)), now_(configured_), reach_(reach) {}
  // Changes are made one after the other on a copy; readers wait for the swap of a pointer alone.
  template <class Change>
  Checked<void> change(const Change& apply);

  const std::shared_ptr<const BrokerValues> configured_;
  mutable std::mutex pointer_;
  std::shared_ptr<const BrokerValues> now_;
  std::mutex writers_;
  const Reach reach_;
};

}  // namespace attestbed::kbs
