// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/sha2.h"
#include "core/protocol/binding.h"
#include "core/verify/verify.h"
#include "mock-kbs/resource.h"

namespace attestbed::kbs {

/// ReferenceEntry is what the broker expects of one kind of guest and what it gives to it.
///   name          for messages
///   binding       the one rule by which its REPORT_DATA is judged; the shape of the evidence never selects it
///   roots         the ARKs that may stand behind its reports
///   minimum_tcb, host_data, allow_smt, require_single_socket, allow_debug, allow_migration_agent
///                 what else it demands, as verify::Policy has it; absent = not judged
///   w1_exposed    the guest lets its host choose what is hashed (a stock SVSM guest does; docs/threat-model.md): its
///                 reports do not prove who holds the key, and the broker says so
///   resources     path -> secret
struct ReferenceEntry {
  std::string name;
  std::vector<snp::Measurement> measurements;
  protocol::Binding binding = protocol::Binding::svsm_sha512;
  std::vector<verify::Certificate> roots;
  bool w1_exposed = false;
  bool allow_debug = false;
  bool allow_migration_agent = false;
  bool require_single_socket = false;
  std::optional<bool> allow_smt = std::nullopt;
  std::optional<snp::Tcb> minimum_tcb = std::nullopt;
  std::optional<ByteArray<32>> host_data = std::nullopt;
  std::map<std::string, std::shared_ptr<const SecretOctets>, std::less<>> resources;

  /// demands is all of it, with VMPL 0, as a policy.
  verify::Policy demands() const;
  /// judged_by is a digest of what a guest's evidence is judged by: name, binding, roots and demands. It stays the same
  /// when the entry only gives something else. Errors: the crypto codes.
  Checked<crypto::Sha256Digest> judged_by() const;
};

/// ReferenceValues is every entry, found by measurement. Entries never change and are shared by all copies.
class ReferenceValues {
 public:
  ReferenceValues() = default;
  /// make checks what no entry can say alone; an entry without a measurement matches no guest. Errors: bad_config for
  /// an entry without a root, for one that mixes AMD's roots with others, and for a measurement that two entries claim.
  static Checked<ReferenceValues> make(std::vector<ReferenceEntry> entries);

  /// with is these values and `entry`, in the place of the one of its name if there is one; without is these values but
  /// the entry of that name. Errors: those of make.
  Checked<ReferenceValues> with(ReferenceEntry entry) const;
  Checked<ReferenceValues> without(std::string_view name) const;

  /// find is null if no entry has this measurement.
  std::shared_ptr<const ReferenceEntry> find(const snp::Measurement& measurement) const;
  std::shared_ptr<const ReferenceEntry> find_name(std::string_view name) const;
  const std::vector<std::shared_ptr<const ReferenceEntry>>& entries() const { return entries_; }
  /// roots are those of all entries together: which of them an entry allows is judged after the signature, when the
  /// measurement may be believed.
  const verify::TrustedRoots& roots() const { return roots_; }

 private:
  static Checked<ReferenceValues> of(std::vector<std::shared_ptr<const ReferenceEntry>> entries);

  std::vector<std::shared_ptr<const ReferenceEntry>> entries_;
  std::map<snp::Measurement, std::size_t> by_measurement_;
  verify::TrustedRoots roots_;
};

}  // namespace attestbed::kbs
