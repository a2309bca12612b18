// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the program as others start it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "core/posix/fd.h"

namespace attestbed::proxy {

/// Process is attest-proxy with pipes for what it prints; killed, if it still runs, at the end of the test.
///   environment  all of it
///   handed_over  a descriptor that it is started with as its fourth, as systemd does; -1 = none
class Process {
 public:
  Process(const std::vector<std::string>& flags, const std::vector<std::string>& environment = {},
          int handed_over = -1) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    out_ = posix::Fd(out[0]);
    err_ = posix::Fd(err[0]);
    const posix::Fd child_out(out[1]), child_err(err[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_err.get(), STDERR_FILENO);
    // LISTEN_PID is known only to the process itself, so a shell sets it and becomes the program.
    const bool by_shell = handed_over >= 0;
    if (by_shell) posix_spawn_file_actions_adddup2(&actions, handed_over, 3);
    std::vector<const char*> first = {ATTEST_PROXY};
    if (by_shell) first = {"/bin/sh", "-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" \"$@\"", ATTEST_PROXY};
    std::vector<char*> argv, envp;
    for (const char* one : first) argv.push_back(const_cast<char*>(one));
    for (const std::string& flag : flags) argv.push_back(const_cast<char*>(flag.c_str()));
    for (const std::string& one : environment) envp.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const int failed = posix_spawn(&pid_, argv.front(), &actions, nullptr, argv.data(), envp.data());
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

/// Program is a test of the program, in a directory of its own.
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

}  // namespace attestbed::proxy
