// SPDX-License-Identifier: Apache-2.0
#include "http-server/accept_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "http-server/listen.h"

namespace attestbed::http {
namespace {

// A listener that is always readable, and an accept(2) that fails as told before it hands out a descriptor.
struct Script {
  explicit Script(std::deque<int> errors) : errors_(std::move(errors)) {
    raise(ready_);
    loop_.listener = ready_.get();
    loop_.stop = stop_.get();
    loop_.pause = std::chrono::milliseconds(1);
    loop_.accept = [this](int) {
      if (errors_.empty()) return ::dup(ready_.get());
      errno = errors_.front();
      errors_.pop_front();
      return -1;
    };
    loop_.serve = [this](posix::Fd line) {
      served_ += line ? 1 : 0;
      raise(stop_);
    };
  }
  static void raise(const posix::Fd& event) {
    const std::uint64_t one = 1;
    (void)!::write(event.get(), &one, sizeof one);
  }

  posix::Fd ready_{::eventfd(0, EFD_CLOEXEC)}, stop_{::eventfd(0, EFD_CLOEXEC)};
  std::deque<int> errors_;
  int served_ = 0;
  AcceptLoop loop_{};
};

TEST(AcceptLoop, GoesOnAfterEveryErrorOfAConnectionOrOfTheMachine) {
  Script script({EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH,
                 ETIMEDOUT, ENONET, EMFILE});
  EXPECT_TRUE(script.loop_.run());
  EXPECT_TRUE(script.errors_.empty());
  EXPECT_EQ(script.served_, 1);
}

TEST(AcceptLoop, EndsWithoutAListener) {
  for (const int error : {EBADF, ENOTSOCK, EINVAL}) {
    Script script({error});
    EXPECT_FALSE(script.loop_.run());
    EXPECT_EQ(script.served_, 0);
  }
}

struct ListenCase {
  const char* text;
  bool good;
  bool loopback;
};
constexpr ListenCase kListens[] = {
    {"127.0.0.1:8080", true, true},
    {"127.1.2.3:0", true, true},
    {"[::1]:1", true, true},
    {"0.0.0.0:80", true, false},
    {"[::]:80", true, false},
    {"192.0.2.1:65535", true, false},
    {"localhost:80", false, false},
    {"127.0.0.1", false, false},
    {"127.0.0.1:", false, false},
    {":80", false, false},
    {"::1:80", false, false},
    {"127.0.0.1:65536", false, false},
    {"127.0.0.1:-1", false, false},
    {"127.0.0.1:80x", false, false},
    {"", false, false},
    {"[127.0.0.1]:80", false, false},
    {"127.0.0.1:0x50", false, false},
};

TEST(ListenAddress, TakesNumericAddressesOnly) {
  for (const ListenCase& listen : kListens) {
    SCOPED_TRACE(listen.text);
    const auto address = ListenAddress::parse(listen.text);
    EXPECT_EQ(address.has_value(), listen.good);
    if (address) {
      EXPECT_EQ(address->loopback, listen.loopback);
    }
  }
}

TEST(ListenOn, SaysWhyItCannot) {
  std::uint16_t port = 0;
  const ListenAddress any{.host = "127.0.0.1", .port = 0, .loopback = true};
  const auto first = listen_on(any, port);
  ASSERT_TRUE(first);
  ASSERT_NE(port, 0);
  const auto second = listen_on({.host = "127.0.0.1", .port = port, .loopback = true}, port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::io_failed);
  EXPECT_EQ(second.error().found, EADDRINUSE);
}

}  // namespace
}  // namespace attestbed::http
