// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: serve_attempt on a thread, with a guest's end to drive it by.

#include <future>

#include "proxy/fake_broker.h"
#include "proxy/session.h"

namespace attestbed::proxy {

inline protocol::ResourcePath path(const std::string& text) {
  return *protocol::ResourcePath::parse(text, "test");
}

/// LineAttempt is one attempt on a line of its own: the proxy's part on a thread, the guest's part in the test.
class LineAttempt {
 public:
  explicit LineAttempt(Backend& broker, SessionConfig config = generous())
      : ends_(socket_pair()), guest(std::move(ends_.guest_end)) {
    state_ = std::async(std::launch::async, [this, &broker, config = std::move(config)] {
      posix::SteadyClock clock;
      posix::FdTransport wire(std::move(ends_.proxy_end), clock);
      SessionLog log(7, "test");
      return serve_attempt(wire, *broker.open(cancelled_), config, clock, cancelled_, log);
    });
  }
  ~LineAttempt() { guest.hang_up(); }

  static SessionConfig generous() {
    return {.resource = {}, .allowed = {path("default/sample/test")}, .budget = std::chrono::seconds(60)};
  }
  static SessionConfig hurried() {
    return {.resource = {}, .allowed = {path("default/sample/test")}, .budget = std::chrono::milliseconds(50)};
  }
  LineState state() { return state_.get(); }

 private:
  SocketPair ends_;
  std::atomic<bool> cancelled_ = false;

 public:
  GuestEnd guest;

 private:
  std::future<LineState> state_;
};

}  // namespace attestbed::proxy
