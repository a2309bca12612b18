// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin_entry.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/secret.h"
#include "core/posix/describe.h"
#include "core/protocol/resource_path.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/bounded_json.h"
#include "mock-kbs/tcb_components.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxEntryName = 64;

Checked<std::string> entry_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxEntryName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (good) return std::string(name);
  return Refusal{Errc::bad_value, "entry", "1 to 64 letters, digits, '_' and '-'",
                 verify::printable(name, kMaxEntryName)};
}

template <class Octets>
Checked<Octets> octets_of_hex(std::string_view hex, const char* member) {
  Octets value;
  std::string octets;
  if (!posix::from_hex(hex, octets) || octets.size() != value.size()) {
    return Refusal{Errc::bad_value, member, std::to_string(2 * value.size()) + " hex digits",
                   verify::printable(hex, 100)};
  }
  std::ranges::copy(bytes_of(octets), value.begin());
  return value;
}

Checked<void> read_measurements(const Members& body, ReferenceEntry& entry) {
  const std::vector<std::string> texts = TRY(body.texts("measurements"));
  for (const std::string& hex : texts) {
    const snp::Measurement measurement = TRY(octets_of_hex<snp::Measurement>(hex, "measurements"));
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

Checked<void> read_minimum_tcb(const Members& body, ReferenceEntry& entry) {
  if (body.find("minimum_tcb") == nullptr) return {};
  const Members levels = TRY(body.object("minimum_tcb"));
  TRY(levels.only({"bootloader", "tee", "snp", "microcode", "fmc"}));
  snp::Tcb least;
  for (const TcbComponent& component : kTcbComponents) {
    const json* level = levels.find(component.name);
    if (level == nullptr) continue;
    if (!level->is_number_unsigned() || level->get<std::uint64_t>() > 255) {
      return Refusal{Errc::bad_value, levels.path_of(component.name), "an integer from 0 to 255",
                     verify::printable(level->dump(), kMaxEntryName)};
    }
    least.*component.level = level->get<std::uint8_t>();
  }
  entry.minimum_tcb = least;
  return {};
}

Checked<void> read_demands(const Members& body, ReferenceEntry& entry) {
  if (body.find("binding") != nullptr) {
    const std::string_view binding = TRY(body.text("binding"));
    const Result<protocol::Binding> named = protocol::binding_named(binding, "binding");
    if (!named) {
      return Refusal{Errc::bad_config, "binding", "svsm-sha512 or kbs-sha384",
                     verify::printable(binding, kMaxEntryName)};
    }
    entry.binding = *named;
  }
  entry.w1_exposed = TRY(body.flag("w1_exposed"));
  entry.allow_debug = TRY(body.flag("allow_debug"));
  entry.allow_migration_agent = TRY(body.flag("allow_migration_agent"));
  entry.require_single_socket = TRY(body.flag("require_single_socket"));
  if (body.find("allow_smt") != nullptr) entry.allow_smt = TRY(body.flag("allow_smt"));
  TRY(read_minimum_tcb(body, entry));
  if (body.find("host_data") == nullptr) return {};
  const std::string_view hex = TRY(body.text("host_data"));
  entry.host_data = TRY(octets_of_hex<ByteArray<32>>(hex, "host_data"));
  return {};
}

Checked<void> read_resources(const Members& body, ReferenceEntry& entry) {
  const json* resources = body.find("resources");
  if (resources == nullptr) return {};
  if (!resources->is_object()) {
    return Refusal{Errc::json_type, "resources", "an object of path and base64", resources->type_name()};
  }
  for (const auto& [path, value] : resources->items()) {
    const std::string field = "resources." + verify::printable(path, kMaxEntryName);
    if (!protocol::ResourcePath::parse(path, "resource")) {
      return Refusal{Errc::bad_value, field, "repository/type/tag of letters, digits, '_', '-', '.'", "another path"};
    }
    if (!value.is_string()) return Refusal{Errc::json_type, field, "a string", value.type_name()};
    std::vector<std::uint8_t> octets =
        TRY(octets_of_base64(Base64::standard, value.get_ref<const std::string&>(), field));
    SecretOctets secret(octets.size());
    std::ranges::copy(octets, secret.expose_mut().begin());
    wipe(octets);
    entry.resources.emplace(path, std::make_shared<const SecretOctets>(std::move(secret)));
  }
  return {};
}

}  // namespace

Checked<ReferenceEntry> decode_entry(std::string_view name, std::string_view body) {
  ReferenceEntry entry;
  entry.name = TRY(entry_name(name));
  const json value = TRY(parse_json(body, "body"));
  const Members members = TRY(Members::of(value, ""));
  TRY(members.only({"measurements", "roots", "binding", "w1_exposed", "allow_debug", "allow_migration_agent",
                    "allow_smt", "require_single_socket", "minimum_tcb", "host_data", "resources"}));
  TRY(read_measurements(members, entry));
  TRY(read_roots(members, entry));
  TRY(read_demands(members, entry));
  TRY(read_resources(members, entry));
  return entry;
}

ordered_json secret_sizes(const SharedResources& resources) {
  ordered_json sizes = ordered_json::object();
  for (const auto& [path, secret] : resources) sizes[path] = secret->size();
  return sizes;
}

ordered_json describe_entry(const ReferenceEntry& entry) {
  ordered_json measurements = ordered_json::array();
  for (const snp::Measurement& measurement : entry.measurements) measurements.push_back(verify::hex_text(measurement));
  ordered_json roots = ordered_json::array();
  for (const verify::Certificate& root : entry.roots) roots.push_back(verify::printable(root.common_name()));
  ordered_json described = {{"name", entry.name},
                            {"measurements", measurements},
                            {"binding", protocol::binding_name(entry.binding)},
                            {"roots", roots},
                            {"w1_exposed", entry.w1_exposed},
                            {"allow_debug", entry.allow_debug},
                            {"allow_migration_agent", entry.allow_migration_agent},
                            {"require_single_socket", entry.require_single_socket}};
  if (entry.allow_smt) described["allow_smt"] = *entry.allow_smt;
  if (entry.minimum_tcb) {
    for (const TcbComponent& component : kTcbComponents) {
      described["minimum_tcb"][component.name] = (*entry.minimum_tcb).*component.level;
    }
  }
  if (entry.host_data) described["host_data"] = verify::hex_text(*entry.host_data);
  described["resource_octets"] = secret_sizes(entry.resources);
  return described;
}

}  // namespace attestbed::kbs
