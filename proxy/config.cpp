// SPDX-License-Identifier: Apache-2.0
#include "proxy/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <ostream>

#include "core/posix/vsock.h"
#include "http-client/service_url.h"

namespace attestbed::proxy {
namespace {

constexpr std::size_t kMaxAllowed = 256;

constexpr std::size_t kMaxDoors = 64;

constexpr const char* kExamples =
    "Examples:\n"
    "  attest-proxy --url http://127.0.0.1:8080 --protocol kbs --unix /run/attest-proxy.sock\n"
    "  attest-proxy --url https://kbs.example --ca kbs-ca.pem --protocol kbs --vsock --serial /dev/ttyS1\n"
    "  attest-proxy --url http://127.0.0.1:8080 --protocol kbs --unix-serial vm.sock   # then start QEMU with\n"
    "               -chardev socket,id=c3,path=vm.sock,reconnect=1 -serial chardev:c3    # as its third -serial\n"
    "  attest-proxy --url https://kbs.example --ca kbs-ca.pem --protocol kbs --unix proxy.sock -f \\\n"
    "               --resource default/disk/key --allow-resource default/disk/key --timeout 20\n"
    "\n"
    "Prints `ready DOOR…` on standard output once guests may connect (unix:PATH unix-serial:PATH vsock:PORT\n"
    "serial:DEVICE); events go to standard error, one JSON object a line. Under systemd it takes the sockets it is "
    "handed, says when it is ready\n"
    "and answers the watchdog. Ends with 0 after SIGTERM or SIGINT: running attempts get 5 s, a second signal cancels\n"
    "them. Exit status: 0 ok, 2 usage or configuration, 3 could not run.";

// Flags is what the command line holds before anything is judged.
struct Flags {
  std::string url, protocol, resource, ca_file, client_cert, client_key, certs, vsock, log_level = "info";
  std::vector<std::string> unix_paths, unix_serial_paths, serial_devices, allowed;
  bool force = false, insecure_http = false;
  unsigned timeout = 30, attempts = 16, attempt_interval = 10, queue_wait = 5, max_sessions_per_peer = 8;
  std::size_t max_sessions = 128, max_lines = 0;
  bool has_vsock = false;
};

std::string protocol_names() {
  std::string names;
  for (const BackendKind& kind : backend_kinds()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--url", flags.url, "The broker: https://HOST[:PORT][/PATH]; http is for loopback")->required();
  app.add_option("--protocol", flags.protocol, "What the broker speaks: " + protocol_names())->required();
  app.add_option("--unix", flags.unix_paths, "Listen on this socket, mode 0600; repeatable")->allow_extra_args(false);
  app.add_option("--unix-serial", flags.unix_serial_paths,
                 "Listen on this socket for serial ports of QEMU (-chardev socket): rules of serial lines; repeatable")
      ->allow_extra_args(false);
  app.add_option("--vsock", flags.vsock, "Listen on this vsock port, for every CID (1995)")->expected(0, 1);
  app.add_option("--serial", flags.serial_devices, "Serve the guest behind this terminal device; repeatable")
      ->allow_extra_args(false);
  app.add_flag("-f,--force", flags.force, "Take over a stale socket at PATH, if nobody listens on it");
  app.add_option("--resource", flags.resource, "Resource for guests that state none (default/sample/test)");
  app.add_option("--allow-resource", flags.allowed, "Resource that a guest may state; repeatable (only --resource)")
      ->allow_extra_args(false);
  app.add_option("--ca", flags.ca_file, "PEM roots for https, instead of the system's");
  app.add_option("--client-cert", flags.client_cert,
                 "PEM certificate that is shown to an https broker that asks for one");
  app.add_option("--client-key", flags.client_key, "Its private key, PEM, not encrypted");
  app.add_option("--certs", flags.certs,
                 "Directory with vcek or vlek, ask or asvk, ark (.der, .pem): for guests that bring no certificates");
  app.add_option("--timeout", flags.timeout, "Seconds for one attempt, from its first octet (30)")
      ->check(CLI::Range(1, 3600));
  app.add_option("--attempts", flags.attempts,
                 "Attempts that a peer may begin in a row (16); a peer is a line or a CID")
      ->check(CLI::Range(1, 1000));
  app.add_option("--attempt-interval", flags.attempt_interval, "Seconds after which it may begin one more (10)")
      ->check(CLI::Range(1, 3600));
  app.add_option("--queue-wait", flags.queue_wait, "Seconds that a guest waits for a session before proxy_busy (5)")
      ->check(CLI::Range(0, 600));
  app.add_option("--max-sessions", flags.max_sessions, "Attempts at once (128)")->check(CLI::Range(1, 1024));
  app.add_option("--max-sessions-per-peer", flags.max_sessions_per_peer, "Of them for one CID (8)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--max-lines", flags.max_lines, "Open lines, serial ones not counted (512, at least 2 a session)")
      ->check(CLI::Range(1, 65536));
  app.add_flag("--insecure-http", flags.insecure_http, "Allow http to other hosts: cookie and token go in the clear");
  app.add_option("--log-level", flags.log_level, "debug, info, warning or error (info)")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.footer(kExamples);
}

// What CLI11 makes of an option that stands alone.
bool is_default_vsock(const std::string& value) {
  return value.empty() || value == "true";
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

Problem judge_doors(const Flags& flags, std::size_t sockets_given, Doors& doors) {
  doors.unix_paths = flags.unix_paths;
  doors.unix_serial_paths = flags.unix_serial_paths;
  doors.serial_devices = flags.serial_devices;
  doors.if_exists = flags.force ? posix::IfExists::take_over : posix::IfExists::refuse;
  if (flags.has_vsock) {
    std::uint32_t port = posix::kDefaultVsockPort;
    if (!is_default_vsock(flags.vsock)) {
      const char* end = flags.vsock.data() + flags.vsock.size();
      const auto [stopped, error] = std::from_chars(flags.vsock.data(), end, port);
      if (error != std::errc() || stopped != end || port == UINT32_MAX) {
        return "--vsock " + flags.vsock + " is no port; ports are 0 to 4294967294";
      }
    }
    doors.vsock_port = port;
  }
  if (doors.unix_paths.size() + doors.unix_serial_paths.size() + doors.serial_devices.size() > kMaxDoors)
    return "there are more than 64 doors";
  if (doors.empty() && sockets_given == 0) return "one of --unix, --unix-serial, --vsock and --serial is required";
  return {};
}

Problem judge(const Flags& flags, std::size_t sockets_given, Config& config) {
  config.protocol = backend_named(flags.protocol);
  if (config.protocol == nullptr)
    return "--protocol " + flags.protocol + " does not exist; there is: " + protocol_names();
  const auto plain = flags.insecure_http ? http::PlainHttp::anywhere : http::PlainHttp::loopback_only;
  http::ServiceUrl url = http::parse_service_url(flags.url, plain);
  if (!url.problem.empty()) return "--url " + http::shown_url(flags.url) + " " + url.problem;
  if (flags.client_cert.empty() != flags.client_key.empty()) return "--client-cert and --client-key go together";
  if (!flags.client_cert.empty() && !url.url.starts_with("https:")) return "--client-cert is for an https broker";
  config.broker = {.url = std::move(url.url),
                   .ca_file = flags.ca_file,
                   .client_certificate = flags.client_cert,
                   .client_key = flags.client_key,
                   .certs_directory = flags.certs};
  config.server.max_sessions = flags.max_sessions;
  config.server.max_sessions_per_peer = flags.max_sessions_per_peer;
  config.server.max_lines = std::max(config.server.max_lines, 2 * flags.max_sessions);
  if (flags.max_lines != 0) config.server.max_lines = flags.max_lines;
  config.server.attempts = {.at_once = flags.attempts, .interval = std::chrono::seconds(flags.attempt_interval)};
  config.server.queue_wait = std::chrono::seconds(flags.queue_wait);
  config.server.session.budget = std::chrono::seconds(flags.timeout);
  config.log_level = flags.log_level;
  Problem problem = judge_doors(flags, sockets_given, config.doors);
  return problem.empty() ? judge_resources(flags, config.server.session) : problem;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::variant<Config, int> parse_command_line(int argc, const char* const* argv, const char* version,
                                             std::size_t sockets_given, std::ostream& out, std::ostream& err) {
  CLI::App app("Carries attestations of SEV-SNP guests to a key broker, and sealed secrets back.", "attest-proxy");
  Flags flags;
  declare(app, flags);
  app.set_version_flag("--version", std::string("attest-proxy ") + version);
  try {
    app.parse(argc, argv);
    flags.has_vsock = app.count("--vsock") > 0;
  } catch (const CLI::Success& wanted) {  // --help, --version
    app.exit(wanted, out, err);
    return 0;
  } catch (const CLI::ParseError& error) {
    err << "attest-proxy: " << first_line(error.what()) << "; see --help\n";
    return 2;
  }
  Config config;
  const Problem problem = judge(flags, sockets_given, config);
  if (problem.empty()) return config;
  err << "attest-proxy: " << problem << "\n";
  return 2;
}

}  // namespace attestbed::proxy
