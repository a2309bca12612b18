// SPDX-License-Identifier: Apache-2.0
#include "proxy/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "proxy/broker_url.h"

namespace attestbed::proxy {
namespace {

constexpr std::size_t kMaxAllowed = 256;

constexpr const char* kExamples =
    "Examples:\n"
    "  attest-proxy --url http://127.0.0.1:8080 --protocol kbs --unix /run/attest-proxy.sock\n"
    "  attest-proxy --url https://kbs.example --ca kbs-ca.pem --protocol kbs --unix proxy.sock -f \\\n"
    "               --resource default/disk/key --allow-resource default/disk/key --timeout 20\n"
    "\n"
    "Prints `ready unix:PATH` on standard output once guests may connect; events go to standard error, one JSON\n"
    "object a line. Ends with 0 after SIGTERM or SIGINT: running attempts get 5 s, a second signal cancels them.\n"
    "Exit status: 0 ok, 2 usage or configuration, 3 could not run.";

// Flags is what the command line holds before anything is judged.
struct Flags {
  std::string url, protocol, unix_path, resource, ca_file, log_level = "info";
  std::vector<std::string> allowed;
  bool force = false, insecure_http = false;
  unsigned timeout = 30;
  std::size_t max_sessions = 128;
};

std::string protocol_names() {
  std::string names;
  for (const BackendKind& kind : backend_kinds()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--url", flags.url, "The broker: https://HOST[:PORT][/PATH]; http is for loopback")->required();
  app.add_option("--protocol", flags.protocol, "What the broker speaks: " + protocol_names())->required();
  app.add_option("--unix", flags.unix_path, "Listen on this socket, mode 0600")->required();
  app.add_flag("-f,--force", flags.force, "Take over a stale socket at PATH, if nobody listens on it");
  app.add_option("--resource", flags.resource, "Resource for guests that state none (default/sample/test)");
  app.add_option("--allow-resource", flags.allowed, "Resource that a guest may state; repeatable (only --resource)")
      ->allow_extra_args(false);
  app.add_option("--ca", flags.ca_file, "PEM roots for https, instead of the system's");
  app.add_option("--timeout", flags.timeout, "Seconds for one attempt, from its first octet (30)")
      ->check(CLI::Range(1, 3600));
  app.add_option("--max-sessions", flags.max_sessions, "Attempts at once; further guests are told proxy_busy (128)")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--insecure-http", flags.insecure_http, "Allow http to other hosts: cookie and token go in the clear");
  app.add_option("--log-level", flags.log_level, "debug, info, warning or error (info)")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.footer(kExamples);
}

// Problem is the text of a configuration error; empty if there is none.
using Problem = std::string;

Problem judge_resources(const Flags& flags, SessionConfig& session) {
  if (!flags.resource.empty()) {
    const auto path = protocol::ResourcePath::parse(flags.resource, "--resource");
    if (!path) return "--resource " + flags.resource + " is not REPOSITORY/TYPE/TAG of at most 192 octets";
    session.resource = *path;
  }
  if (flags.allowed.size() > kMaxAllowed) return "--allow-resource is given more than 256 times";
  for (const std::string& text : flags.allowed) {
    const auto path = protocol::ResourcePath::parse(text, "--allow-resource");
    if (!path) return "--allow-resource " + text + " is not REPOSITORY/TYPE/TAG of at most 192 octets";
    session.allowed.push_back(*path);
  }
  if (session.allowed.empty()) session.allowed.push_back(session.resource);
  return {};
}

Problem judge(const Flags& flags, Config& config) {
  config.protocol = backend_named(flags.protocol);
  if (config.protocol == nullptr)
    return "--protocol " + flags.protocol + " does not exist; there is: " + protocol_names();
  const auto plain = flags.insecure_http ? PlainHttp::anywhere : PlainHttp::loopback_only;
  BrokerUrl url = parse_broker_url(flags.url, plain);
  if (!url.problem.empty()) return "--url " + shown_url(flags.url) + " " + url.problem;
  config.broker = {.url = std::move(url.url), .ca_file = flags.ca_file};
  config.unix_path = flags.unix_path;
  config.if_exists = flags.force ? posix::IfExists::take_over : posix::IfExists::refuse;
  config.server.max_sessions = flags.max_sessions;
  config.server.max_lines = std::max(config.server.max_lines, 2 * flags.max_sessions);
  config.server.session.budget = std::chrono::seconds(flags.timeout);
  config.log_level = flags.log_level;
  return judge_resources(flags, config.server.session);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::variant<Config, int> parse_command_line(int argc, const char* const* argv, const char* version, std::ostream& out,
                                             std::ostream& err) {
  CLI::App app("Carries attestations of SEV-SNP guests to a key broker, and sealed secrets back.", "attest-proxy");
  Flags flags;
  declare(app, flags);
  app.set_version_flag("--version", std::string("attest-proxy ") + version);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    app.exit(wanted, out, err);
    return 0;
  } catch (const CLI::ParseError& error) {
    err << "attest-proxy: " << first_line(error.what()) << "; see --help\n";
    return 2;
  }
  Config config;
  const Problem problem = judge(flags, config);
  if (problem.empty()) return config;
  err << "attest-proxy: " << problem << "\n";
  return 2;
}

}  // namespace attestbed::proxy
