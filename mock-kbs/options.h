// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mock-kbs/appraisal.h"
#include "mock-kbs/refuse.h"
#include "mock-kbs/service_config.h"
#include "mock-kbs/session.h"
#include "mock-kbs/tls_ca.h"

namespace attestbed::kbs {

/// GuestOptions is one reference entry as somebody wrote it: texts and file names, nothing read or judged yet.
///   origin  where it was written, for messages: "command line", "kbs.toml:12"
///   places  the same of single keys
struct GuestOptions {
  std::string origin;
  std::map<std::string, std::string> places = {};
  std::string name;
  std::vector<std::string> measurements;
  std::vector<std::string> roots;
  std::string binding = "svsm-sha512";
  bool w1_exposed = false;
  bool allow_debug = false;
  bool allow_migration_agent = false;
  bool require_single_socket = false;
  std::optional<bool> allow_smt;
  std::optional<snp::Tcb> minimum_tcb;
  std::optional<std::string> host_data;                        // hex
  std::vector<std::pair<std::string, std::string>> resources;  // path, file
};

/// PolicyOptions is the table [policy] as somebody wrote it.
struct PolicyOptions {
  std::string origin;
  ResourcePolicy::Base base = ResourcePolicy::Base::default_;
  std::vector<PolicyRule> rules;
};

/// KdsSection is the table [kds] as somebody wrote it. Without `offline` it needs a URL, with it a cache.
struct KdsSection {
  std::string origin;
  std::string url, cache, ca_file;
  bool offline = false;
  bool insecure_http = false;
  bool check_revocation = false;
  std::optional<std::uint32_t> timeout_seconds;
};

/// Options is everything that the command line and a configuration file can say. An absent member was not said.
struct Options {
  std::optional<std::string> listen;
  std::optional<std::string> log_level;
  std::optional<std::uint32_t> session_lifetime_seconds;
  std::optional<std::uint32_t> max_sessions;
  std::optional<NonceMode> nonce_mode;
  std::optional<std::uint32_t> nonce_octets;
  std::optional<std::string> nonce_seed;
  std::optional<AppraisalMode> appraisal;
  std::vector<std::string> certs;
  std::vector<GuestOptions> guests;
  std::vector<std::pair<std::string, std::string>> resources;  // shared ones: path, file
  std::optional<PolicyOptions> policy;
  std::optional<KdsSection> kds;
  ServiceOptions service;
};

/// TlsCaCommand is `mock-kbs tls-ca`: no broker, a CA for tests.
struct TlsCaCommand {
  std::string directory;
  TestCa ca;
};

/// CommandLine is what argv came to: options, or that the program has already said all (--help, a wrong flag).
struct CommandLine {
  Options options;
  std::optional<std::string> config_file;
  std::optional<TlsCaCommand> tls_ca;
  std::optional<int> exit_code;
};
CommandLine read_command_line(int argc, const char* const* argv);

/// read_config_file reads a TOML file. Relative file names in it are taken from the folder it lies in.
///   errors  bad_config; `field` names file, line and key
Checked<Options> read_config_file(const std::string& path);

/// merge lays the command line over the file: single values replace, lists and entries add up.
Options merge(Options file, const Options& command_line);

}  // namespace attestbed::kbs
