// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/broker_state.h"

#include "core/protocol/resource_path.h"

namespace attestbed::kbs {

Checked<void> check_rules(const BrokerValues& values) {
  const std::vector<PolicyRule>& rules = values.policy.rules();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].entry || values.reference.find_name(*rules[i].entry)) continue;
    return Refusal{Errc::bad_config, "policy.rule[" + std::to_string(i) + "].entry", "the name of an entry",
                   verify::printable(*rules[i].entry, 64)};
  }
  return {};
}

Checked<void> check_reach(const BrokerValues& values, Reach reach) {
  if (reach == Reach::loopback) return {};
  const verify::TrustedRoots& roots = values.reference.roots();
  if (!roots.certificates().empty() && roots.simulated()) {
    return Refusal{Errc::bad_config, "listen", "a loopback address, since a root is not AMD's", "one beyond loopback"};
  }
  if (values.policy.admits_sample()) {
    return Refusal{Errc::bad_config, "listen", "a loopback address, since the resource policy admits tee sample",
                   "one beyond loopback"};
  }
  return {};
}

namespace {

Checked<protocol::ResourcePath> resource_path(std::string_view path) {
  const Result<protocol::ResourcePath> parsed = protocol::ResourcePath::parse(path, "resource");
  if (parsed) return *parsed;
  return Refusal{parsed.error().code, "resource",
                 "repository/type/tag of letters, digits, '_', '-', '.', together at most " +
                     std::to_string(protocol::kMaxResourcePathBytes) + " octets",
                 verify::printable(path, 64) + " (" + std::to_string(path.size()) + " octets)"};
}

std::size_t octets_of(const SharedResources& resources) {
  std::size_t sum = 0;
  for (const auto& [path, secret] : resources) sum += secret->size();
  return sum;
}

}  // namespace

Checked<std::unique_ptr<BrokerState>> BrokerState::make(BrokerValues configured, Reach reach) {
  TRY(check_rules(configured));
  TRY(check_reach(configured, reach));
  return std::unique_ptr<BrokerState>(
      new BrokerState(std::make_shared<const BrokerValues>(std::move(configured)), reach));
}

std::shared_ptr<const BrokerValues> BrokerState::now() const {
  const std::lock_guard lock(pointer_);
  return now_;
}

template <class Change>
Checked<void> BrokerState::change(const Change& apply) {
  const std::lock_guard one_writer(writers_);
  BrokerValues values = *now();
  TRY(apply(values));
  TRY(check_rules(values));
  TRY(check_reach(values, reach_));
  auto next = std::make_shared<const BrokerValues>(std::move(values));
  const std::lock_guard lock(pointer_);
  // What was, and with it perhaps the last reference to a removed secret, ends outside the lock.
  now_.swap(next);
  return {};
}

Checked<void> BrokerState::put_entry(ReferenceEntry entry) {
  return change([&](BrokerValues& values) -> Checked<void> {
    values.reference = TRY(values.reference.with(std::move(entry)));
    if (values.reference.entries().size() <= kMaxEntries) return {};
    return Refusal{Errc::too_large, "entry", "at most " + std::to_string(kMaxEntries) + " entries", "one more"};
  });
}

Checked<void> BrokerState::remove_entry(std::string_view name) {
  return change([&](BrokerValues& values) -> Checked<void> {
    if (!values.reference.find_name(name)) {
      return Refusal{Errc::bad_value, "entry", "the name of an entry", verify::printable(name, 64)};
    }
    values.reference = TRY(values.reference.without(name));
    return {};
  });
}

Checked<void> BrokerState::put_resource(std::string_view path, SecretOctets secret) {
  const protocol::ResourcePath at = TRY(resource_path(path));
  if (secret.size() == 0) return Refusal{Errc::bad_length, "body", "the octets of the resource", "none"};
  if (secret.size() > kMaxResourceBytes) {
    return Refusal{Errc::too_large, "body", "at most " + std::to_string(kMaxResourceBytes) + " octets",
                   std::to_string(secret.size())};
  }
  const auto held = std::make_shared<const SecretOctets>(std::move(secret));
  return change([&](BrokerValues& values) -> Checked<void> {
    values.resources.insert_or_assign(std::string(at.text()), held);
    if (values.resources.size() > kMaxSharedResources || octets_of(values.resources) > kMaxSharedOctets) {
      return Refusal{Errc::too_large, "resource",
                     "at most " + std::to_string(kMaxSharedResources) + " resources of together " +
                         std::to_string(kMaxSharedOctets) + " octets",
                     "more"};
    }
    return {};
  });
}

Checked<void> BrokerState::remove_resource(std::string_view path) {
  const protocol::ResourcePath at = TRY(resource_path(path));
  return change([&](BrokerValues& values) -> Checked<void> {
    const auto found = values.resources.find(at.text());
    if (found == values.resources.end()) {
      return Refusal{Errc::resource_unknown, "resource", "a shared resource", std::string(at.text())};
    }
    values.resources.erase(found);
    return {};
  });
}

Checked<void> BrokerState::set_policy(ResourcePolicy policy) {
  return change([&](BrokerValues& values) -> Checked<void> {
    values.policy = std::move(policy);
    return {};
  });
}

void BrokerState::reset() {
  const std::lock_guard one_writer(writers_);
  auto next = configured_;
  const std::lock_guard lock(pointer_);
  now_.swap(next);
}

}  // namespace attestbed::kbs
