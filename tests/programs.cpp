// SPDX-License-Identifier: Apache-2.0
#include "tests/programs.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace attestbed::programs {
namespace {

// Where the build put them; the test is compiled with these paths.
const std::map<std::string, std::string> kPaths = {{"snp-sim", SNP_SIM},
                                                   {"mock-kbs", MOCK_KBS},
                                                   {"attest-proxy", ATTEST_PROXY},
                                                   {"attest-guest", ATTEST_GUEST},
                                                   {"attestbed", ATTESTBED}};

}  // namespace

ProgramTest::ProgramTest() {
  auto scratch = launch::ScratchDir::make();
  if (!scratch) throw std::runtime_error(scratch.error().text());
  scratch_.emplace(*std::move(scratch));
  children_.emplace(clock_);
}

launch::Child& ProgramTest::start(const std::string& program, const std::vector<std::string>& args) {
  const auto path = kPaths.find(program);
  const auto child =
      children_->start({.name = program, .program = path == kPaths.end() ? program : path->second, .args = args});
  if (!child) throw std::runtime_error(child.error().text());
  return **child;
}

ProgramTest::Finished ProgramTest::finish(launch::Child& child) {
  const auto exit = children_->wait_exit(child, soon());
  if (!exit) throw std::runtime_error(exit.error().text() + "\n" + exit.error().tail);
  return {*exit, child.out().text(), child.err().text()};
}

ProgramTest::Finished ProgramTest::run(const std::string& program, const std::vector<std::string>& args) {
  return finish(start(program, args));
}

std::string ProgramTest::start_ready(const std::string& program, const std::vector<std::string>& args) {
  const auto line = children_->wait_line(start(program, args), "ready ", soon());
  if (!line) throw std::runtime_error(line.error().text() + "\n" + line.error().tail);
  return line->substr(6);
}

void ProgramTest::start_machine(const std::vector<std::string>& options) {
  const Finished certs = run("snp-sim", {"certs", "--seed", "1", "--force", "--out", file("certs")});
  ASSERT_TRUE(certs.exit.clean()) << certs.err;
  std::vector<std::string> args = {"serve", "--ca", file("certs"), "--unix", file("firmware.sock")};
  args.insert(args.end(), options.begin(), options.end());
  const std::string ready = start_ready("snp-sim", args);
  measurement_ = ready.substr(ready.rfind(' ') + 1);
  ASSERT_EQ(measurement_.size(), 96U) << ready;
}

void ProgramTest::start_broker(const std::string& measurement) {
  write("secret", kSecretText);
  url_ = start_ready("mock-kbs", {"--listen", "127.0.0.1:0", "--root", file("certs/ark.pem"), "--certs", file("certs"),
                                  "--measurement", measurement, "--secret-file", file("secret")});
}

void ProgramTest::start_proxy(const std::string& url) {
  start_ready("attest-proxy", {"--url", url, "--protocol", "kbs", "--unix", file("proxy.sock")});
}

ProgramTest::Finished ProgramTest::guest(const std::vector<std::string>& options) {
  std::vector<std::string> args = {
      "--unix", file("proxy.sock"), "--firmware", "unix:" + file("firmware.sock"), "--secret-auth", "none", "--json"};
  args.insert(args.end(), options.begin(), options.end());
  return run("attest-guest", args);
}

launch::Child& ProgramTest::child(const std::string& program) {
  for (auto child = children_->all().rbegin(); child != children_->all().rend(); ++child) {
    if ((*child)->name() == program) return **child;
  }
  throw std::runtime_error(program + " was not started");
}

std::vector<nlohmann::json> ProgramTest::events(const std::string& program, const std::string& event) {
  std::vector<nlohmann::json> found;
  std::istringstream lines(child(program).err().text());
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.value("event", "") == event) found.push_back(std::move(json));
  }
  return found;
}

int ProgramTest::users_of(const std::string& scratch) {
  namespace fs = std::filesystem;
  int users = 0;
  for (const auto& entry : fs::directory_iterator("/proc", fs::directory_options::skip_permission_denied)) {
    const auto command_line = read(entry.path().string() + "/cmdline");
    if (command_line && command_line->find(scratch) != std::string::npos) ++users;
  }
  return users;
}

void ProgramTest::write(const std::string& name, const std::string& text) const {
  std::ofstream(file(name), std::ios::binary) << text;
}

std::optional<std::string> ProgramTest::read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  try {
    return std::string(std::istreambuf_iterator<char>(stream), {});
  } catch (const std::ios_base::failure&) {  // under /proc: the process ended between the open and the read
    return std::nullopt;
  }
}

}  // namespace attestbed::programs
