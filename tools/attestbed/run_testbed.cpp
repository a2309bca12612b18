// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_testbed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/posix/describe.h"
#include "core/snp/report.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/siblings.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using launch::Failure;
using launch::Outcome;

// How long a program may take to get ready, and to end by itself after its own deadline: generous, since it bounds
// hangs and not work.
constexpr std::chrono::seconds kPatience{60};
// The default seed: its keys are public test keys and ship as data, so that nobody waits for RSA key generation.
constexpr const char* kSeed = "1";
constexpr std::size_t kMaxSecretBytes = 64 * 1024;
// The proxy's own default for attempts at once.
constexpr unsigned kUsualSessions = 128;

// The word of `line` after `name`: "ready unix:/x measurement 00" has the measurement 00.
std::string word_after(const std::string& line, const std::string& name) {
  const std::size_t at = line.find(name + " ");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 1;
  return line.substr(start, line.find(' ', start) - start);
}

std::optional<std::string> read_if_there(const std::string& path, std::size_t max) {
  Result<std::string> text = posix::read_file(path, max);
  if (!text) return std::nullopt;
  return *std::move(text);
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

Testbed::Testbed(Scenario scenario, launch::ScratchDir scratch, Clock& clock, int stop_fd)
    : scenario_(std::move(scenario)),
      scratch_(std::move(scratch)),
      clock_(clock),
      children_(clock, stop_fd),
      lines_(scenario_.line, scenario_.inputs.tamper, scenario_.guests) {}

Outcome<std::string> Testbed::start_part(const char* name, std::vector<std::string> args) {
  const Instant begin = clock_.now();
  std::string program = TRY(launch::sibling_program(name));
  launch::Child* child = TRY(children_.start({.name = name, .program = std::move(program), .args = std::move(args)}));
  servers_.push_back(child);
  std::string line = TRY(children_.wait_line(*child, "ready ", begin + kPatience));
  parts_.push_back({name, line, clock_.now() - begin});
  return line;
}

Outcome<std::string> Testbed::run_simulator(const char* name, std::vector<std::string> args) {
  std::string program = TRY(launch::sibling_program("snp-sim"));
  launch::Child* child = TRY(children_.start({.name = name, .program = std::move(program), .args = std::move(args)}));
  const launch::Exit exit = TRY(children_.wait_exit(*child, clock_.now() + kPatience));
  if (!exit.clean()) return Failure{child->name(), exit.text(), child->last_lines()};
  return child->out().text();
}

Outcome<void> Testbed::start_machine() {
  const Inputs& inputs = scenario_.inputs;
  TRY(run_simulator("snp-sim certs",
                    {"certs", "--product", scenario_.product, "--seed", kSeed, "--out", file("certs")}));
  std::vector<std::string> args = {
      "serve",    "--ca",       file("certs"), "--unix", file("firmware.sock"), "--image", inputs.launched_image,
      "--policy", inputs.policy};
  if (*inputs.firmware_faults != '\0') args.insert(args.end(), {"--fault", inputs.firmware_faults});
  const std::string ready = TRY(start_part("snp-sim", std::move(args)));
  measurement_ = word_after(ready, "measurement");
  if (measurement_.empty()) return Failure{"snp-sim", "its ready line has no measurement: " + ready, {}};
  if (inputs.launched_image != std::string_view(inputs.registered_image)) {
    const std::string digest =
        TRY(run_simulator("snp-sim measurement", {"measurement", "--image", inputs.registered_image}));
    measurement_ = digest.substr(0, digest.find('\n'));
  }
  return {};
}

Outcome<void> Testbed::start_broker() {
  if (scenario_.inputs.broker != BrokerType::serving) {
    HeldPort held = TRY(hold_port(scenario_.inputs.broker == BrokerType::silent));
    broker_port_ = std::move(held.socket);
    broker_url_ = held.url;
    return {};
  }
  if (const Status written = posix::write_file_private(file("secret"), bytes_of(scenario_.secret)); !written) {
    return io_failure(file("secret"), written.error());
  }
  const std::string ready = TRY(
      start_part("mock-kbs", {"--listen", "127.0.0.1:0", "--root", file("certs/ark.pem"), "--certs", file("certs"),
                              "--measurement", measurement_, "--resource", scenario_.resource + "=" + file("secret")}));
  broker_url_ = word_after(ready, "ready");
  return {};
}

Outcome<void> Testbed::start_proxy() {
  TRY(lines_.prepare(scratch_));
  std::vector<std::string> args = lines_.proxy_flags();
  args.insert(args.end(), {"--url", broker_url_, "--protocol", "kbs", "--resource", scenario_.resource, "--timeout",
                           std::to_string(scenario_.inputs.proxy_timeout.count()), "--max-sessions",
                           std::to_string(std::max(kUsualSessions, scenario_.guests))});
  TRY(start_part("attest-proxy", std::move(args)));
  return lines_.connect(servers_.back()->pid(), clock_, clock_.now() + scenario_.inputs.guest_timeout + 2 * kPatience);
}

Outcome<void> Testbed::start() {
  TRY(start_machine());
  TRY(start_broker());
  return start_proxy();
}

std::string Testbed::guest_file(std::string_view stem, unsigned guest, std::string_view extension) const {
  std::string name(stem);
  if (scenario_.guests > 1) {
    const std::string number = std::to_string(guest + 1);
    name += "-" + std::string(3 - number.size(), '0') + number;
  }
  return name += extension;
}

Outcome<launch::Child*> Testbed::start_guest(unsigned guest) {
  const bool on_uart = scenario_.line == LineType::uart;
  std::string program = TRY(launch::sibling_program(on_uart ? "attestbed" : "attest-guest"));
  std::vector<std::string> args;
  if (on_uart) {
    args = {kUartGuestCommand, "--firmware", file("firmware.sock")};
  } else {
    args = {"--firmware", "unix:" + file("firmware.sock"), "--secret-auth", "none", "--json"};
  }
  std::ranges::move(lines_.guest_flags(guest), std::back_inserter(args));
  args.insert(args.end(),
              {"--resource", scenario_.resource, "--timeout", std::to_string(scenario_.inputs.guest_timeout.count()),
               "--vmpl", std::to_string(scenario_.inputs.vmpl), "--out", file(guest_file("released", guest)),
               "--report", file(guest_file("report", guest, ".bin"))});
  return children_.start(
      {.name = guest_file("attest-guest", guest), .program = std::move(program), .args = std::move(args)});
}

Outcome<std::vector<GuestOutput>> Testbed::run_guests(const std::function<void(std::size_t ended)>& tell) {
  const Instant begin = clock_.now();
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    launch::Child* guest = TRY(start_guest(i));
    guests_.push_back(guest);
  }
  const Outcome<void> ended =
      children_.wait_all(guests_, clock_.now() + scenario_.inputs.guest_timeout + kPatience, tell);
  if (!ended && ended.error().stopped) return ended.error();
  guests_took_ = clock_.now() - begin;

  std::vector<GuestOutput> outputs;
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    launch::Child& guest = *guests_[i];
    const launch::Exit exit = children_.end(guest, std::chrono::seconds(1));
    outputs.push_back({.exit = exit,
                       .result = guest.out().text(),
                       .words = guest.err().text(),
                       .secret = read_if_there(file(guest_file("released", i)), kMaxSecretBytes),
                       .report = read_if_there(file(guest_file("report", i, ".bin")), snp::kReportBytes),
                       .peer = lines_.peer(i, guest.pid())});
  }
  return outputs;
}

void Testbed::stop() {
  lines_.stop();
  children_.end_all();
}

std::string Testbed::log(std::string_view program) const {
  if (program == "relay") return lines_.relay_log();
  for (const auto& child : children_.all()) {
    if (child->name() == program) return child->err().text();
  }
  return {};
}

std::vector<std::string> Testbed::early_ends() const {
  std::vector<std::string> ends;
  for (const launch::Child* server : servers_) {
    if (server->exit()) ends.push_back(server->name() + ": " + server->exit()->text());
  }
  return ends;
}

Outcome<void> Testbed::keep_in(const std::string& folder) const {
  const auto keep = [&](const std::string& name, const std::string& text) -> Outcome<void> {
    const Status written = posix::write_file_private(folder + "/" + name, bytes_of(text));
    if (!written) return io_failure(folder + "/" + name, written.error());
    return {};
  };
  std::error_code failed;
  fs::create_directories(folder, failed);
  for (const auto& child : children_.all()) {
    std::string stem = child->name();
    for (char& c : stem) c = c == ' ' ? '-' : c;
    TRY(keep(stem + ".log", child->err().text()));
    if (stem.starts_with("attest-guest")) TRY(keep(stem + ".json", child->out().text()));
  }
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    const std::string name = guest_file("report", i, ".bin");
    if (const auto report = read_if_there(file(name), snp::kReportBytes)) TRY(keep(name, *report));
  }
  if (const std::string relay = log("relay"); !relay.empty()) TRY(keep("relay.log", relay));
  return copy_certificates(file("certs"), folder + "/certs");
}

}  // namespace attestbed::tools
