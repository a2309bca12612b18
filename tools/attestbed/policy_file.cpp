// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/policy_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <limits>

#include "core/posix/path.h"
#include "tools/attestbed/input_file.h"
#include "tools/attestbed/policy_value.h"

namespace attestbed::tools {
namespace {

using verify::Certificate;
using verify::Checked;
using verify::Policy;
using verify::Refusal;

/// put keeps what was read in its place, or passes the refusal on.
template <class T, class Place>
Checked<void> put(Checked<T> read, Place& place) {
  if (!read) return read.error();
  place = *std::move(read);
  return {};
}

template <class Number, class Place>
Checked<void> put_number(const PolicyValue& value, Place& place, std::uint64_t least = 0,
                         std::uint64_t most = std::numeric_limits<Number>::max()) {
  place = static_cast<Number>(TRY(value.number(least, most)));
  return {};
}

Checked<snp::Product> product(const PolicyValue& value) {
  const std::string name = TRY(value.text());
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    if (name == snp::product_name(product)) return product;
  }
  return value.refuse("Milan, Genoa or Turin", verify::printable(name, 40));
}

Checked<Certificate::Kind> signing_key(const PolicyValue& value) {
  const std::string name = TRY(value.text());
  for (const Certificate::Kind kind : {Certificate::Kind::vcek, Certificate::Kind::vlek}) {
    if (name == verify::kind_name(kind)) return kind;
  }
  return value.refuse("VCEK or VLEK", verify::printable(name, 40));
}

Checked<std::string> text(const PolicyValue& value) {
  return value.text();
}
Checked<snp::ChipId> chip_id(const PolicyValue& value) {
  return value.chip_id();
}
Checked<ByteArray<48>> digest(const PolicyValue& value) {
  return value.array<48>();
}

using V = const PolicyValue&;
struct Key {
  const char* table;
  const char* name;
  Checked<void> (*read)(V, Policy&);
};
constexpr std::uint64_t kMostMitigations = std::numeric_limits<std::int64_t>::max();  // TOML's integers end there

constexpr Key kKeys[] = {
    {"machine", "products", [](V v, Policy& p) { return put(v.each<snp::Product>(product), p.products); }},
    {"machine", "signing_keys",
     [](V v, Policy& p) { return put(v.each<Certificate::Kind>(signing_key), p.signing_keys); }},
    {"machine", "csp_ids", [](V v, Policy& p) { return put(v.each<std::string>(text), p.csp_ids); }},
    {"machine", "chip_ids", [](V v, Policy& p) { return put(v.each<snp::ChipId>(chip_id), p.chip_ids); }},
    {"machine", "allow_masked_chip", [](V v, Policy& p) { return put(v.flag(), p.allow_masked_chip); }},

    {"platform", "allow_smt", [](V v, Policy& p) { return put(v.flag(), p.platform.allow_smt); }},
    {"platform", "allow_tsme", [](V v, Policy& p) { return put(v.flag(), p.platform.allow_tsme); }},
    {"platform", "allow_sev_tio", [](V v, Policy& p) { return put(v.flag(), p.platform.allow_sev_tio); }},
    {"platform", "allow_undocumented_bits",
     [](V v, Policy& p) { return put(v.flag(), p.platform.allow_undocumented_bits); }},
    {"platform", "require_ecc", [](V v, Policy& p) { return put(v.flag(), p.platform.require_ecc); }},
    {"platform", "require_rapl_disabled",
     [](V v, Policy& p) { return put(v.flag(), p.platform.require_rapl_disabled); }},
    {"platform", "require_ciphertext_hiding",
     [](V v, Policy& p) { return put(v.flag(), p.platform.require_ciphertext_hiding); }},
    {"platform", "require_alias_check", [](V v, Policy& p) { return put(v.flag(), p.platform.require_alias_check); }},

    {"firmware", "minimum_report_version",
     [](V v, Policy& p) { return put_number<std::uint32_t>(v, p.minimum_report_version, 2, 5); }},
    {"firmware", "minimum_tcb", [](V v, Policy& p) { return put(v.tcb(), p.minimum_tcb); }},
    {"firmware", "minimum_launch_tcb", [](V v, Policy& p) { return put(v.tcb(), p.minimum_launch_tcb); }},
    {"firmware", "minimum_version", [](V v, Policy& p) { return put(v.version(), p.minimum_firmware); }},
    {"firmware", "minimum_build", [](V v, Policy& p) { return put_number<std::uint8_t>(v, p.minimum_firmware_build); }},
    {"firmware", "allow_provisional", [](V v, Policy& p) { return put(v.flag(), p.allow_provisional_firmware); }},
    {"firmware", "launch_mitigations",
     [](V v, Policy& p) { return put_number<std::uint64_t>(v, p.launch_mitigations, 1, kMostMitigations); }},
    {"firmware", "current_mitigations",
     [](V v, Policy& p) { return put_number<std::uint64_t>(v, p.current_mitigations, 1, kMostMitigations); }},

    {"guest_policy", "allow_debug", [](V v, Policy& p) { return put(v.flag(), p.allow_debug); }},
    {"guest_policy", "allow_migration_agent", [](V v, Policy& p) { return put(v.flag(), p.allow_migration_agent); }},
    {"guest_policy", "allow_smt", [](V v, Policy& p) { return put(v.flag(), p.allow_smt); }},
    {"guest_policy", "allow_cxl", [](V v, Policy& p) { return put(v.flag(), p.allow_cxl); }},
    {"guest_policy", "require_single_socket", [](V v, Policy& p) { return put(v.flag(), p.require_single_socket); }},
    {"guest_policy", "require_aes_256_xts", [](V v, Policy& p) { return put(v.flag(), p.require_aes_256_xts); }},
    {"guest_policy", "require_rapl_disabled", [](V v, Policy& p) { return put(v.flag(), p.require_rapl_disabled); }},
    {"guest_policy", "require_ciphertext_hiding",
     [](V v, Policy& p) { return put(v.flag(), p.require_ciphertext_hiding); }},
    {"guest_policy", "require_page_swap_disabled",
     [](V v, Policy& p) { return put(v.flag(), p.require_page_swap_disabled); }},
    {"guest_policy", "minimum_abi", [](V v, Policy& p) { return put(v.version(), p.minimum_abi); }},

    {"guest", "vmpl", [](V v, Policy& p) { return put_number<std::uint32_t>(v, p.vmpl, 0, 3); }},
    {"guest", "max_vmpl", [](V v, Policy& p) { return put_number<std::uint32_t>(v, p.max_vmpl, 0, 3); }},
    {"guest", "minimum_svn", [](V v, Policy& p) { return put_number<std::uint32_t>(v, p.minimum_guest_svn); }},
    {"guest", "measurements", [](V v, Policy& p) { return put(v.each<snp::Measurement>(digest), p.measurements); }},
    {"guest", "report_data", [](V v, Policy& p) { return put(v.array<64>(), p.report_data); }},
    {"guest", "host_data", [](V v, Policy& p) { return put(v.array<32>(), p.host_data); }},
    {"guest", "family_id", [](V v, Policy& p) { return put(v.array<16>(), p.family_id); }},
    {"guest", "image_id", [](V v, Policy& p) { return put(v.array<16>(), p.image_id); }},
    {"guest", "report_id", [](V v, Policy& p) { return put(v.array<32>(), p.report_id); }},
    {"guest", "report_id_ma", [](V v, Policy& p) { return put(v.array<32>(), p.report_id_ma); }},

    {"keys", "require_id_block", [](V v, Policy& p) { return put(v.flag(), p.require_id_block); }},
    {"keys", "require_author_key", [](V v, Policy& p) { return put(v.flag(), p.require_author_key); }},
    {"keys", "id_key_digests", [](V v, Policy& p) { return put(v.each<ByteArray<48>>(digest), p.id_key_digests); }},
    {"keys", "author_key_digests",
     [](V v, Policy& p) { return put(v.each<ByteArray<48>>(digest), p.author_key_digests); }},
};

/// names_in lists the tables, or the keys of one.
std::string names_in(std::string_view table) {
  std::string names, last;
  for (const Key& key : kKeys) {
    if (!table.empty() && table != key.table) continue;
    const std::string name = table.empty() ? "[" + std::string(key.table) + "]" : key.name;
    if (name != last) names += (names.empty() ? "" : ", ") + name;
    last = name;
  }
  return names;
}

Checked<void> read_table(const std::string& path, const std::string& table, const toml::table& keys, Policy& policy) {
  for (const auto& [name, node] : keys) {
    const PolicyValue value(path, table + "." + verify::printable(name.str(), 40), node);
    const auto* const key = std::ranges::find_if(
        kKeys, [&, &key = name](const Key& one) { return table == one.table && key.str() == one.name; });
    if (key == std::end(kKeys)) return value.refuse("one of " + names_in(table), "another key");
    TRY(key->read(value, policy));
  }
  return {};
}

Checked<Policy> read_tables(const std::string& path, const toml::table& root) {
  Policy policy;
  for (const auto& [name, node] : root) {
    const std::string table = verify::printable(name.str(), 40);
    const PolicyValue value(path, table, node);
    const bool known = std::ranges::any_of(kKeys, [&table = name](const Key& key) { return table.str() == key.table; });
    if (!known || !node.is_table()) {
      return value.refuse("the tables " + names_in({}), known ? value.type() : "another key");
    }
    TRY(read_table(path, table, *node.as_table(), policy));
  }
  return policy;
}

}  // namespace

Checked<Policy> parse_policy(std::string_view text, const std::string& unclean_path) {
  const std::string path = verify::printable(unclean_path, 200);
  if (text.size() > kMaxPolicyBytes) {
    return Refusal{Errc::too_large, path, "at most " + std::to_string(kMaxPolicyBytes) + " octets",
                   std::to_string(text.size())};
  }
  try {
    const toml::table root = toml::parse(text, path);
    return read_tables(path, root);
  } catch (const toml::parse_error& error) {
    return Refusal{Errc::bad_config, path + ":" + std::to_string(error.source().begin.line), "TOML 1.0",
                   verify::printable(error.description(), 200)};
  }
}

Checked<Policy> read_policy(const std::string& path) {
  const std::vector<std::uint8_t> octets = TRY(read_file(path, kMaxPolicyBytes));
  return parse_policy(text_of(octets), path);
}

}  // namespace attestbed::tools
