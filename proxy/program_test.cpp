// SPDX-License-Identifier: Apache-2.0
// The program as others start it: flags, readiness line, signals, exit status.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/posix/fd.h"
#include "proxy/fake_broker.h"
#include "proxy/http_broker.h"

namespace attestbed::proxy {
namespace {

// Process is attest-proxy with pipes for what it prints; killed, if it still runs, at the end of the test.
class Process {
 public:
  Process(const std::vector<std::string>& flags, const std::vector<std::string>& environment = {}) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    out_ = posix::Fd(out[0]);
    err_ = posix::Fd(err[0]);
    const posix::Fd child_out(out[1]), child_err(err[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_err.get(), STDERR_FILENO);
    std::vector<char*> argv = {const_cast<char*>(ATTEST_PROXY)}, envp;
    for (const std::string& flag : flags) argv.push_back(const_cast<char*>(flag.c_str()));
    for (const std::string& one : environment) envp.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const int failed = posix_spawn(&pid_, ATTEST_PROXY, &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("posix_spawn");
  }
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) { kill(pid_, number); }
  std::string out_line() {
    std::string line;
    for (char c = 0; read(out_.get(), &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  /// ended waits for the end and returns the exit status, or -signal.
  int ended() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string errors() {
    std::string text;
    char piece[4096];
    for (ssize_t got = 0; (got = read(err_.get(), piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  pid_t pid_ = -1;
  posix::Fd out_, err_;
};

class Program : public testing::Test {
 protected:
  Program() {
    if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~Program() override {
    unlink(socket().c_str());
    rmdir(directory_.c_str());
  }
  std::string socket() const { return directory_ + "/proxy.sock"; }
  std::vector<std::string> flags(const std::string& url, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--url", url, "--protocol", "kbs", "--unix", socket()});
    return more;
  }

 private:
  std::string directory_ = "/tmp/attestbed-proxy-XXXXXX";
};

const VectorCase& plain() {
  return vector_case("plain");
}

TEST_F(Program, CarriesAGuestAndEndsCleanlyOnASignal) {
  HttpBroker broker(plain());
  for (const int number : {SIGTERM, SIGINT}) {
    Process proxy(flags(broker.url()));
    ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
    EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
    proxy.signal(number);
    EXPECT_EQ(proxy.ended(), 0);
    const std::string log = proxy.errors();
    for (const char* event : {"ready", "negotiated", "attested", "released", "stopping", "stopped"}) {
      EXPECT_NE(log.find("\"event\":\"" + std::string(event) + "\""), std::string::npos) << log;
    }
    // The cookie and the recorded token, nonce and wrapped key.
    for (const char* hidden : {"session1", "session2", "test-token", "TageHNDe", "6HIm6ZJW"}) {
      EXPECT_EQ(log.find(hidden), std::string::npos) << log;
    }
    struct stat about {};
    EXPECT_NE(lstat(socket().c_str(), &about), 0) << "the socket is removed";
  }
}

TEST_F(Program, EnvironmentChangesNothing) {
  HttpBroker broker(plain());
  Process proxy(flags(broker.url()), {"http_proxy=http://127.0.0.1:1", "ALL_PROXY=http://127.0.0.1:1",
                                      "OPENSSL_CONF=/nonexistent", "CURL_HOME=/nonexistent"});
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain()));
}

TEST_F(Program, OutlivesABrokerThatIsNotThere) {
  std::string url;
  {
    const RawBroker gone({}, RawBroker::Then::close);
    url = gone.url();
  }
  Process proxy(flags(url));
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  for (int i = 0; i < 2; ++i) {
    GuestEnd guest = GuestEnd::connect(socket());
    ASSERT_TRUE(guest.send(plain().negotiation_request));
    EXPECT_EQ(code_in(guest.receive(), protocol::Phase::negotiation), "broker_unreachable");
  }
}

TEST_F(Program, TakesOverWhatAKilledProxyLeft) {
  const std::string url = "http://127.0.0.1:1";
  {
    Process killed(flags(url));
    ASSERT_EQ(killed.out_line(), "ready unix:" + socket());
    killed.signal(SIGKILL);
    ASSERT_EQ(killed.ended(), -SIGKILL);
  }
  Process refused(flags(url));
  EXPECT_EQ(refused.ended(), 3);
  EXPECT_NE(refused.errors().find("cannot listen on unix:" + socket()), std::string::npos);

  Process heir(flags(url, {"--force"}));
  ASSERT_EQ(heir.out_line(), "ready unix:" + socket());
  Process rival(flags(url, {"--force"}));
  EXPECT_EQ(rival.ended(), 3) << "somebody listens";
}

TEST_F(Program, ConfigurationErrorsAreOneLineAndExit2) {
  for (const auto& more : {std::vector<std::string>{"--ca", "/nonexistent/ca.pem"}, {"--timeout", "0"}, {"--bogus"}}) {
    Process proxy(flags("http://127.0.0.1:1", more));
    EXPECT_EQ(proxy.ended(), 2) << more.front();
    const std::string text = proxy.errors();
    EXPECT_TRUE(text.starts_with("attest-proxy: ")) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  }
}

}  // namespace
}  // namespace attestbed::proxy
