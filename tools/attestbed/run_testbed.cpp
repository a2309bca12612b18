// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_testbed.h"

#include <sys/stat.h>

#include <filesystem>

#include "core/posix/describe.h"
#include "core/snp/report.h"
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

}  // namespace

Testbed::Testbed(Scenario scenario, launch::ScratchDir scratch, Clock& clock, int stop_fd)
    : scenario_(std::move(scenario)), scratch_(std::move(scratch)), clock_(clock), children_(clock, stop_fd) {}

Outcome<std::string> Testbed::start_part(const char* name, std::vector<std::string> args) {
  const Instant begin = clock_.now();
  std::string program = TRY(launch::sibling_program(name));
  launch::Child* child = TRY(children_.start({.name = name, .program = std::move(program), .args = std::move(args)}));
  servers_.push_back(child);
  std::string line = TRY(children_.wait_line(*child, "ready ", begin + kPatience));
  parts_.push_back({name, line, clock_.now() - begin});
  return line;
}

Outcome<void> Testbed::make_certificates() {
  std::string program = TRY(launch::sibling_program("snp-sim"));
  launch::Child* child = TRY(
      children_.start({.name = "snp-sim certs",
                       .program = std::move(program),
                       .args = {"certs", "--product", scenario_.product, "--seed", kSeed, "--out", file("certs")}}));
  const launch::Exit exit = TRY(children_.wait_exit(*child, clock_.now() + kPatience));
  if (!exit.clean()) return Failure{child->name(), exit.text(), child->last_lines()};
  return {};
}

Outcome<void> Testbed::start() {
  TRY(make_certificates());
  const std::string simulator =
      TRY(start_part("snp-sim", {"serve", "--ca", file("certs"), "--unix", file("firmware.sock")}));
  measurement_ = word_after(simulator, "measurement");
  if (measurement_.empty()) return Failure{"snp-sim", "its ready line has no measurement: " + simulator, {}};

  if (const Status written = posix::write_file_private(file("secret"), bytes_of(scenario_.secret)); !written) {
    return io_failure(file("secret"), written.error());
  }
  const std::string broker = TRY(
      start_part("mock-kbs", {"--listen", "127.0.0.1:0", "--root", file("certs/ark.pem"), "--certs", file("certs"),
                              "--measurement", measurement_, "--resource", scenario_.resource + "=" + file("secret")}));
  broker_url_ = word_after(broker, "ready");

  TRY(start_part("attest-proxy", {"--url", broker_url_, "--protocol", "kbs", "--unix", file("proxy.sock"), "--resource",
                                  scenario_.resource, "--timeout", std::to_string(scenario_.timeout.count())}));
  return {};
}

Outcome<GuestOutput> Testbed::run_guest() {
  std::string program = TRY(launch::sibling_program("attest-guest"));
  const std::string secret = file("released"), report = file("report.bin");
  launch::Child* child = TRY(children_.start(
      {.name = "attest-guest",
       .program = std::move(program),
       .args = {"--unix", file("proxy.sock"), "--firmware", "unix:" + file("firmware.sock"), "--secret-auth", "none",
                "--resource", scenario_.resource, "--timeout", std::to_string(scenario_.timeout.count()), "--out",
                secret, "--report", report, "--json"}}));
  const launch::Exit exit = TRY(children_.wait_exit(*child, clock_.now() + scenario_.timeout + kPatience));
  return GuestOutput{exit, child->out().text(), read_if_there(secret, kMaxSecretBytes),
                     read_if_there(report, snp::kReportBytes)};
}

std::string Testbed::log(std::string_view program) const {
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
    if (child->name() == "attest-guest") TRY(keep("attest-guest.json", child->out().text()));
  }
  if (const auto report = read_if_there(file("report.bin"), snp::kReportBytes)) TRY(keep("report.bin", *report));
  return copy_certificates(file("certs"), folder + "/certs");
}

}  // namespace attestbed::tools
