// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/reference_values.h"

#include <algorithm>

namespace attestbed::kbs {
namespace {

Refusal config(const ReferenceEntry& entry, const char* key, std::string expected, std::string found) {
  return {Errc::bad_config, entry.name + "." + key, std::move(expected), std::move(found)};
}

Checked<void> check_roots(const ReferenceEntry& entry) {
  if (entry.roots.empty()) return config(entry, "roots", "at least one root certificate", "none");
  std::size_t simulated = 0;
  for (const verify::Certificate& root : entry.roots) {
    const verify::TrustedRoots alone = TRY(verify::TrustedRoots::from_certificates({&root, 1}));
    if (alone.simulated()) ++simulated;
  }
  if (simulated != 0 && simulated != entry.roots.size()) {
    return config(entry, "roots", "AMD's roots or other roots", "both in one entry");
  }
  return {};
}

}  // namespace

verify::Policy ReferenceEntry::demands() const {
  verify::Policy policy;
  policy.max_vmpl = 0;
  policy.allow_debug = allow_debug;
  policy.allow_migration_agent = allow_migration_agent;
  policy.require_single_socket = require_single_socket;
  policy.allow_smt = allow_smt;
  policy.minimum_tcb = minimum_tcb;
  policy.host_data = host_data;
  return policy;
}

Checked<crypto::Sha256Digest> ReferenceEntry::judged_by() const {
  std::string text = name;
  const auto add = [&text](std::string_view part) { text += "\n" + std::string(part); };
  add(protocol::binding_name(binding));
  for (const bool flag : {w1_exposed, allow_debug, allow_migration_agent, require_single_socket}) add(flag ? "1" : "0");
  add(!allow_smt ? "-" : *allow_smt ? "1" : "0");
  const snp::Tcb least = minimum_tcb.value_or(snp::Tcb{});
  const std::uint8_t levels[] = {minimum_tcb.has_value(), least.fmc, least.boot_loader, least.tee, least.snp,
                                 least.microcode};
  add(verify::hex_text(levels));
  add(!host_data ? "-" : verify::hex_text(*host_data));
  for (const verify::Certificate& root : roots) {
    const crypto::Sha256Digest fingerprint = TRY(checked(crypto::sha256({root.der()})));
    add(verify::hex_text(fingerprint));
  }
  return checked(crypto::sha256({bytes_of(text)}));
}

Checked<ReferenceValues> ReferenceValues::make(std::vector<ReferenceEntry> entries) {
  std::vector<std::shared_ptr<const ReferenceEntry>> shared;
  shared.reserve(entries.size());
  for (ReferenceEntry& entry : entries) shared.push_back(std::make_shared<const ReferenceEntry>(std::move(entry)));
  return of(std::move(shared));
}

Checked<ReferenceValues> ReferenceValues::of(std::vector<std::shared_ptr<const ReferenceEntry>> entries) {
  ReferenceValues values;
  std::vector<verify::Certificate> roots;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ReferenceEntry& entry = *entries[i];
    TRY(check_roots(entry));
    for (const snp::Measurement& measurement : entry.measurements) {
      const auto [at, fresh] = values.by_measurement_.try_emplace(measurement, i);
      if (fresh) continue;
      const std::string hex = verify::hex_text(measurement).substr(0, 16);
      return config(entry, "measurement", "one entry for each measurement",
                    hex + "... here and in " + entries[at->second]->name);
    }
    for (const verify::Certificate& root : entry.roots) {
      if (std::ranges::find(roots, root) == roots.end()) roots.push_back(root);
    }
  }
  if (!roots.empty()) values.roots_ = TRY(verify::TrustedRoots::from_certificates(roots));
  values.entries_ = std::move(entries);
  return values;
}

Checked<ReferenceValues> ReferenceValues::with(ReferenceEntry entry) const {
  std::vector<std::shared_ptr<const ReferenceEntry>> entries = entries_;
  const auto place = std::ranges::find(entries, entry.name, [](const auto& each) { return each->name; });
  if (place == entries.end()) {
    entries.push_back(std::make_shared<const ReferenceEntry>(std::move(entry)));
  } else {
    *place = std::make_shared<const ReferenceEntry>(std::move(entry));
  }
  return of(std::move(entries));
}

Checked<ReferenceValues> ReferenceValues::without(std::string_view name) const {
  std::vector<std::shared_ptr<const ReferenceEntry>> entries = entries_;
  std::erase_if(entries, [name](const auto& entry) { return entry->name == name; });
  return of(std::move(entries));
}

std::shared_ptr<const ReferenceEntry> ReferenceValues::find(const snp::Measurement& measurement) const {
  const auto at = by_measurement_.find(measurement);
  return at == by_measurement_.end() ? nullptr : entries_[at->second];
}

std::shared_ptr<const ReferenceEntry> ReferenceValues::find_name(std::string_view name) const {
  const auto at = std::ranges::find(entries_, name, [](const auto& entry) -> std::string_view { return entry->name; });
  return at == entries_.end() ? nullptr : *at;
}

}  // namespace attestbed::kbs
