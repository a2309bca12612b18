// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_parts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/posix/describe.h"
#include "tools/launch/siblings.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using launch::Failure;
using launch::Outcome;

// The default seed: its keys are public test keys and ship as data, so that nobody waits for RSA key generation.
constexpr const char* kSeed = "1";
// The proxy's own default for attempts at once.
constexpr unsigned kUsualSessions = 128;

// The word of `line` after `name`: "ready unix:/x measurement 00" has the measurement 00.
std::string word_after(const std::string& line, const std::string& name) {
  const std::size_t at = line.find(name + " ");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 1;
  return line.substr(start, line.find(' ', start) - start);
}

Failure io_failure(const std::string& path, const Error& error) {
  return {.program = {}, .reason = path + ": " + posix::describe(error)};
}

// Certificates alone: a private key, even a public one, teaches the wrong habit.
Outcome<void> copy_certificates(const std::string& from, const std::string& to) {
  std::error_code failed;
  if (!fs::exists(from, failed)) return {};
  fs::create_directories(to, failed);
  for (fs::directory_iterator at(from, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string extension = at->path().extension().string();
    if (extension != ".pem" && extension != ".der") continue;
    fs::copy_file(at->path(), fs::path(to) / at->path().filename(), failed);
    if (failed) break;
  }
  if (failed) return Failure{.program = {}, .reason = to + ": " + failed.message()};
  return {};
}

/// HeldPort is a TCP port of this machine that nobody else can have meanwhile.
struct HeldPort {
  posix::Fd socket;
  std::string url;
};

// Bound and not listening, a port refuses connections; listening, the kernel takes them, and nobody ever answers.
Outcome<HeldPort> hold_port(bool listening) {
  const auto failed = [] { return Failure{.reason = std::string("cannot hold a TCP port: ") + std::strerror(errno)}; };
  posix::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!socket || ::bind(socket.get(), generic, size) != 0 || ::getsockname(socket.get(), generic, &size) != 0) {
    return failed();
  }
  if (listening && ::listen(socket.get(), SOMAXCONN) != 0) return failed();
  std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return HeldPort{std::move(socket), std::move(url)};
}

}  // namespace

Parts::Parts(launch::ScratchDir scratch, Clock& clock, int stop_fd)
    : scratch_(std::move(scratch)), clock_(clock), children_(clock, stop_fd) {}

Outcome<std::string> Parts::start_part(const char* name, std::vector<std::string> args) {
  const Instant begin = clock_.now();
  std::string program = TRY(launch::sibling_program(name));
  launch::Child* child = TRY(children_.start({.name = name, .program = std::move(program), .args = std::move(args)}));
  servers_.push_back(child);
  std::string line = TRY(children_.wait_line(*child, "ready ", begin + kPatience));
  ready_.push_back({name, line, clock_.now() - begin});
  return line;
}

Outcome<std::string> Parts::simulate(const char* name, std::vector<std::string> args) {
  return run_to_end(name, "snp-sim", std::move(args));
}

Outcome<std::string> Parts::run_to_end(const char* name, const char* program, std::vector<std::string> args) {
  std::string path = TRY(launch::sibling_program(program));
  launch::Child* child = TRY(children_.start({.name = name, .program = std::move(path), .args = std::move(args)}));
  const launch::Exit exit = TRY(children_.wait_exit(*child, clock_.now() + kPatience));
  if (!exit.clean()) return Failure{child->name(), exit.text(), child->last_lines()};
  return child->out().text();
}

Outcome<void> Parts::make_certificates(const std::string& product) {
  TRY(simulate("snp-sim certs", {"certs", "--product", product, "--seed", kSeed, "--out", file("certs")}));
  return {};
}

Outcome<std::string> Parts::start_firmware(const Inputs& inputs, std::vector<std::string> launch_flags) {
  std::vector<std::string> args = {"serve",           "--ca",     file("certs"), "--unix",
                                   firmware_socket(), "--policy", inputs.policy};
  std::ranges::move(launch_flags, std::back_inserter(args));
  if (*inputs.firmware_faults != '\0') args.insert(args.end(), {"--fault", inputs.firmware_faults});
  const std::string ready = TRY(start_part("snp-sim", std::move(args)));
  std::string measurement = word_after(ready, "measurement");
  if (measurement.empty()) return Failure{"snp-sim", "its ready line has no measurement: " + ready, {}};
  return measurement;
}

Outcome<void> Parts::start_broker(const Scenario& scenario, const std::string& measurement) {
  if (scenario.inputs.broker != BrokerType::serving) {
    HeldPort held = TRY(hold_port(scenario.inputs.broker == BrokerType::silent));
    broker_port_ = std::move(held.socket);
    broker_url_ = held.url;
    return {};
  }
  if (const Status written = posix::write_file_private(file("secret"), bytes_of(scenario.secret)); !written) {
    return io_failure(file("secret"), written.error());
  }
  std::vector<std::string> args = {
      "--listen",      "127.0.0.1:0", "--root",     file("certs/ark.pem"),
      "--certs",       file("certs"), "--binding",  binding_name(scenario.binding),
      "--measurement", measurement,   "--resource", scenario.resource + "=" + file("secret")};
  if (scenario.tls) {
    TRY(run_to_end("mock-kbs tls-ca", "mock-kbs", {"tls-ca", "--out", file("tls")}));
    args.insert(args.end(), {"--tls-cert", file("tls/server.pem"), "--tls-key", file("tls/server.key")});
  }
  for (const std::string& fault : scenario.faults) args.insert(args.end(), {"--fault", fault});
  const std::string ready = TRY(start_part("mock-kbs", std::move(args)));
  broker_url_ = word_after(ready, "ready");
  return {};
}

Outcome<pid_t> Parts::start_proxy(const Scenario& scenario, std::vector<std::string> door_flags) {
  std::vector<std::string> args = std::move(door_flags);
  args.insert(args.end(), {"--url", broker_url_, "--protocol", "kbs", "--resource", scenario.resource, "--timeout",
                           std::to_string(scenario.inputs.proxy_timeout.count()), "--max-sessions",
                           std::to_string(std::max(kUsualSessions, scenario.guests))});
  if (scenario.tls) args.insert(args.end(), {"--ca", file("tls/ca.pem")});
  TRY(start_part("attest-proxy", std::move(args)));
  return servers_.back()->pid();
}

std::string Parts::log(std::string_view program) const {
  for (const auto& child : children_.all()) {
    if (child->name() == program) return child->err().text();
  }
  return {};
}

std::vector<std::string> Parts::early_ends() const {
  std::vector<std::string> ends;
  for (const launch::Child* server : servers_) {
    if (server->exit()) ends.push_back(server->name() + ": " + server->exit()->text());
  }
  return ends;
}

Outcome<void> keep_file(const std::string& folder, const std::string& name, const std::string& text) {
  const Status written = posix::write_file_private(folder + "/" + name, bytes_of(text));
  if (!written) return io_failure(folder + "/" + name, written.error());
  return {};
}

std::optional<std::string> read_if_there(const std::string& path, std::size_t max) {
  Result<std::string> text = posix::read_file(path, max);
  if (!text) return std::nullopt;
  return *std::move(text);
}

Outcome<void> Parts::keep_in(const std::string& folder) const {
  std::error_code failed;
  fs::create_directories(folder, failed);
  for (const auto& child : children_.all()) {
    std::string stem = child->name();
    for (char& c : stem) c = c == ' ' ? '-' : c;
    TRY(keep_file(folder, stem + ".log", child->err().text()));
    if (stem.starts_with("attest-guest")) TRY(keep_file(folder, stem + ".json", child->out().text()));
  }
  return copy_certificates(file("certs"), folder + "/certs");
}

}  // namespace attestbed::tools
