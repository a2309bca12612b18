// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "core/posix/describe.h"
#include "mock-kbs/config_source.h"
#include "mock-kbs/options.h"

namespace attestbed::kbs {
namespace {

constexpr std::size_t kMaxConfigBytes = 1024 * 1024;

Checked<void> read_resources(const Source& source, const toml::node& node, GuestOptions& guest) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, "guest.resources", "a table of path = file", kind_of(node));
  for (const auto& [path, file] : *table) {
    const std::string key = "guest.resources.\"" + verify::printable(path.str(), 64) + "\"";
    guest.resources.emplace_back(path.str(), source.file(TRY(text_at(source, file, key))));
    guest.places["resource " + verify::printable(path.str(), 64)] = source.place(file);
  }
  return {};
}

Checked<void> read_guest_key(const Source& source, const std::string& name, const toml::node& node,
                             GuestOptions& guest) {
  const std::string key = "guest." + verify::printable(name, 64);
  guest.places[name] = source.place(node);
  if (name == "name") {
    guest.name = TRY(text_at(source, node, key));
  } else if (name == "measurement") {
    guest.measurements = TRY(texts_at(source, node, key));
  } else if (name == "roots") {
    guest.roots = TRY(files_at(source, node, key));
  } else if (name == "binding") {
    guest.binding = TRY(text_at(source, node, key));
  } else if (name == "w1_exposed") {
    guest.w1_exposed = TRY(flag_at(source, node, key));
  } else if (name == "allow_debug") {
    guest.allow_debug = TRY(flag_at(source, node, key));
  } else if (name == "allow_migration_agent") {
    guest.allow_migration_agent = TRY(flag_at(source, node, key));
  } else if (name == "allow_smt") {
    guest.allow_smt = TRY(flag_at(source, node, key));
  } else if (name == "require_single_socket") {
    guest.require_single_socket = TRY(flag_at(source, node, key));
  } else if (name == "minimum_tcb") {
    guest.minimum_tcb = TRY(read_tcb(source, node, key));
  } else if (name == "host_data") {
    guest.host_data = TRY(text_at(source, node, key));
  } else if (name == "resources") {
    TRY(read_resources(source, node, guest));
  } else {
    return source.wrong(node, key,
                        "name, measurement, roots, binding, w1_exposed, allow_debug, allow_migration_agent, allow_smt, "
                        "require_single_socket, minimum_tcb, host_data or resources",
                        "another key");
  }
  return {};
}

Checked<void> read_guests(const Source& source, const toml::node& node, Options& options) {
  const auto* list = node.as_array();
  if (list == nullptr) return source.wrong(node, "guest", "[[guest]] tables", kind_of(node));
  for (const toml::node& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) return source.wrong(item, "guest", "[[guest]] tables", kind_of(item));
    GuestOptions guest;
    guest.origin = source.place(item);
    guest.name = "guest-" + std::to_string(options.guests.size() + 1);
    for (const auto& [name, value] : *table) {
      TRY(read_guest_key(source, std::string(name.str()), value, guest));
    }
    if (guest.measurements.empty()) return source.wrong(item, "guest.measurement", "at least one measurement", "none");
    options.guests.push_back(std::move(guest));
  }
  return {};
}

Checked<void> read_kds_key(const Source& source, const std::string& name, const toml::node& node, KdsSection& kds) {
  const std::string key = "kds." + verify::printable(name, 64);
  if (name == "url") {
    kds.url = TRY(text_at(source, node, key));
  } else if (name == "cache") {
    kds.cache = source.file(TRY(text_at(source, node, key)));
  } else if (name == "ca_file") {
    kds.ca_file = source.file(TRY(text_at(source, node, key)));
  } else if (name == "offline") {
    kds.offline = TRY(flag_at(source, node, key));
  } else if (name == "insecure_http") {
    kds.insecure_http = TRY(flag_at(source, node, key));
  } else if (name == "check_revocation") {
    kds.check_revocation = TRY(flag_at(source, node, key));
  } else if (name == "timeout_seconds") {
    kds.timeout_seconds = TRY(number_at(source, node, key));
  } else {
    return source.wrong(node, key, "url, cache, ca_file, offline, insecure_http, check_revocation or timeout_seconds",
                        "another key");
  }
  return {};
}

Checked<void> read_kds(const Source& source, const toml::node& node, Options& options) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, "kds", "a table", kind_of(node));
  KdsSection kds;
  kds.origin = source.place(node);
  for (const auto& [name, value] : *table) TRY(read_kds_key(source, std::string(name.str()), value, kds));
  options.kds = std::move(kds);
  return {};
}

// A table whose values are all strings, file names among them.
struct TextKey {
  const char* name;
  std::string ServiceOptions::*into;
  bool is_file;
};
Checked<void> read_text_table(const Source& source, const toml::node& node, const std::string& table_name,
                              std::span<const TextKey> keys, ServiceOptions& service) {
  const auto* table = node.as_table();
  if (table == nullptr) return source.wrong(node, table_name, "a table", kind_of(node));
  for (const auto& [name, value] : *table) {
    const std::string key = table_name + "." + verify::printable(name.str(), 64);
    const auto known =
        std::ranges::find_if(keys, [wanted = name.str()](const TextKey& one) { return wanted == one.name; });
    if (known == keys.end()) {
      std::string names;
      for (const TextKey& one : keys) names += (names.empty() ? "" : ", ") + std::string(one.name);
      return source.wrong(value, key, names, "another key");
    }
    const std::string text = TRY(text_at(source, value, key));
    service.*known->into = known->is_file ? source.file(text) : text;
  }
  return {};
}

constexpr TextKey kTlsKeys[] = {{"certificate", &ServiceOptions::tls_certificate, true},
                                {"key", &ServiceOptions::tls_key, true},
                                {"client_ca", &ServiceOptions::tls_client_ca, true}};
constexpr TextKey kAdminKeys[] = {{"listen", &ServiceOptions::admin_listen, false},
                                  {"token_file", &ServiceOptions::admin_token_file, true}};

Checked<void> read_key(const Source& source, const std::string& name, const toml::node& node, Options& options) {
  const bool read = TRY(read_broker_key(source, name, node, options));
  if (read) return {};
  if (name == "listen") {
    options.listen = TRY(text_at(source, node, name));
  } else if (name == "log_level") {
    options.log_level = TRY(text_at(source, node, name));
  } else if (name == "session_lifetime_seconds") {
    options.session_lifetime_seconds = TRY(number_at(source, node, name));
  } else if (name == "max_sessions") {
    options.max_sessions = TRY(number_at(source, node, name));
  } else if (name == "certs") {
    options.certs = TRY(files_at(source, node, name));
  } else if (name == "guest") {
    TRY(read_guests(source, node, options));
  } else if (name == "kds") {
    TRY(read_kds(source, node, options));
  } else if (name == "policy") {
    TRY(read_policy_table(source, node, options));
  } else if (name == "faults") {
    options.service.faults = TRY(texts_at(source, node, name));
  } else if (name == "fault_seed") {
    options.service.fault_seed = TRY(number_at(source, node, name));
  } else if (name == "parity") {
    options.service.parity = TRY(text_at(source, node, name));
  } else if (name == "tls") {
    TRY(read_text_table(source, node, name, kTlsKeys, options.service));
  } else if (name == "admin") {
    TRY(read_text_table(source, node, name, kAdminKeys, options.service));
  } else {
    return source.wrong(node, verify::printable(name, 64),
                        "listen, log_level, session_lifetime_seconds, max_sessions, nonce_mode, nonce_octets, "
                        "nonce_seed, appraisal, certs, faults, fault_seed, parity, [resources], [policy], [kds], "
                        "[tls], [admin] or [[guest]]",
                        "another key");
  }
  return {};
}

}  // namespace

Checked<Options> read_config_file(const std::string& path) {
  const Result<std::string> text = posix::read_file(path, kMaxConfigBytes);
  if (!text) {
    return Refusal{Errc::bad_config, path, "a readable file of at most " + std::to_string(kMaxConfigBytes) + " octets",
                   posix::describe(text.error())};
  }
  const Source source{path, std::filesystem::path(path).parent_path()};
  Options options;
  try {
    const toml::table root = toml::parse(*text, path);
    // In the order of the file: the first mistake in it is named, and not one that follows from it.
    std::multimap<toml::source_index, std::pair<std::string, const toml::node*>> by_line;
    for (const auto& [name, value] : root) by_line.emplace(value.source().begin.line, std::pair(name.str(), &value));
    for (const auto& [line, key] : by_line) TRY(read_key(source, key.first, *key.second, options));
  } catch (const toml::parse_error& error) {
    return Refusal{Errc::bad_config, path + ":" + std::to_string(error.source().begin.line), "TOML 1.0",
                   verify::printable(error.description(), 200)};
  }
  return options;
}

Options merge(Options file, const Options& command_line) {
  if (command_line.listen) file.listen = command_line.listen;
  if (command_line.log_level) file.log_level = command_line.log_level;
  file.service.over(command_line.service);
  std::ranges::copy(command_line.certs, std::back_inserter(file.certs));
  std::ranges::copy(command_line.guests, std::back_inserter(file.guests));
  return file;
}

}  // namespace attestbed::kbs
