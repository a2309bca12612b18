// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a server on a thread, with the doors that a test gives it.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <stdexcept>
#include <string>

#include "proxy/fake_broker.h"
#include "proxy/server.h"
#include "proxy/unix_listener.h"

namespace attestbed::proxy {

/// Directory is a new directory with room for one socket and one link.
class Directory {
 public:
  Directory() {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~Directory() {
    unlink(socket().c_str());
    unlink(link().c_str());
    rmdir(path_.c_str());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string socket() const { return path_ + "/proxy.sock"; }
  std::string link() const { return path_ + "/line"; }

 private:
  std::string path_ = "/tmp/attestbed-proxy-XXXXXX";
};

/// Running is a server, run on a thread until `stop` or the end of the test. It always has a socket, its first door.
///   clock  the server's; null = the system's. One that stands still shows what happens without any time passing
class Running {
 public:
  using Doors = std::vector<std::unique_ptr<Listener>>;
  explicit Running(FakeBroker& broker, ServerConfig config = defaults(), Doors more = {}, Clock* clock = nullptr)
      : stop_fd_(eventfd(0, EFD_CLOEXEC)),
        server_(with_socket(std::move(more)), broker, config, clock != nullptr ? *clock : clock_),
        done_(std::async(std::launch::async, [this] { return server_.run(stop_fd_.get()).has_value(); })) {}
  ~Running() {
    if (done_.valid()) {
      signal_stop();
      signal_stop();
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  static ServerConfig defaults() {
    ServerConfig config;
    config.session.budget = std::chrono::seconds(60);
    config.max_sessions = 32;
    return config;
  }
  std::string path() const { return directory_.socket(); }
  GuestEnd guest() const { return GuestEnd::connect(path()); }
  void signal_stop() {
    const std::uint64_t one = 1;
    ASSERT_EQ(write(stop_fd_.get(), &one, sizeof one), ssize_t{sizeof one});
  }
  /// ended waits for run() to return; a server that does not end is ended by the test's own time limit.
  bool ended() { return done_.get(); }
  bool has_ended() const { return done_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  bool path_exists() const {
    struct stat about {};
    return lstat(path().c_str(), &about) == 0;
  }

 private:
  Doors with_socket(Doors more) const {
    more.insert(more.begin(), *listen_on_unix(path(), posix::IfExists::refuse));
    return more;
  }

  Directory directory_;
  posix::Fd stop_fd_;
  posix::SteadyClock clock_;
  Server server_;
  std::future<bool> done_;
};

}  // namespace attestbed::proxy
