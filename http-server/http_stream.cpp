// SPDX-License-Identifier: Apache-2.0
#include "http-server/http_stream.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace attestbed::http {
namespace {

using std::chrono::steady_clock;

void address_of(const sockaddr_storage& address, std::string& ip, int& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    port = ntohs(v6.sin6_port);
  }
  ip = text.data();
}

}  // namespace

HttpStream::HttpStream(posix::Fd socket, int stop, const HttpLimits& limits, std::unique_ptr<Channel> channel)
    : socket_(std::move(socket)), stop_(stop), limits_(limits), channel_(std::move(channel)) {}

bool HttpStream::await_request() {
  head_done_ = writing_ = muted_ = false;
  head_ = lines_ = line_ = 0;
  body_ = announced_ = 0;
  if (at_ == end_ && !channel_->pending()) {
    if (!wait(POLLIN, steady_clock::now() + limits_.idle, /*ends_on_stop=*/true)) return false;
  }
  until_ = steady_clock::now() + limits_.request;
  return at_ < end_ || refill();
}

void HttpStream::close() {
  if (!socket_) return;
  channel_->end(socket_.get());
  until_ = steady_clock::now() + limits_.drain;
  for (std::size_t drained = 0; drained < limits_.body_octets; drained += buffer_.size()) {
    at_ = end_;
    if (!refill()) break;
  }
  socket_.reset();
}

bool HttpStream::pause(std::chrono::milliseconds time) {
  pollfd stop{stop_, POLLIN, 0};
  const auto until = steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) break;
    const int ready = ::poll(&stop, 1, static_cast<int>(std::min<long>(left, 60'000)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return false;
  }
  until_ += time;
  return true;
}

void HttpStream::abort(Abort how) {
  if (!socket_) return;
  if (how == Abort::reset) {
    // Nothing waits to be sent then, and close(2) answers with a reset.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  socket_.reset();
}

// Waits for `events` until the deadline. After the server's stop a waiting request ends at once, one that is being read
// or answered within the drain time.
bool HttpStream::wait(short events, SteadyTime until, bool ends_on_stop) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    // A negative descriptor is ignored by poll: the stop is acted upon once.
    std::array<pollfd, 2> watched{pollfd{socket_.get(), events, 0}, pollfd{stopping_ ? -1 : stop_, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (watched[1].revents != 0) {
      stopping_ = true;
      until_ = std::min(until_, steady_clock::now() + limits_.drain);
      until = std::min(until, steady_clock::now() + limits_.drain);
      if (ends_on_stop) return false;
    }
    if (watched[0].revents != 0) return true;
  }
}

bool HttpStream::refill() {
  short events = POLLIN;
  bool ready = channel_->pending();
  for (;;) {
    if (!ready && !wait(events, until_, /*ends_on_stop=*/false)) return false;
    ready = false;
    const ssize_t n = channel_->receive(socket_.get(), buffer_.data(), buffer_.size(), events);
    if (n == Channel::kAgain) continue;
    at_ = 0;
    end_ = static_cast<std::size_t>(n);
    return n > 0;
  }
}

// Counts what goes up to the parser. The head ends with a line that holds CR LF and nothing else.
bool HttpStream::within_bounds(char octet) {
  if (head_done_) return ++body_ <= limits_.body_octets;
  if (++head_ > limits_.head_octets) return false;
  ++line_;
  if (octet != '\n') return true;
  head_done_ = line_ == 2 && lines_ > 0;
  line_ = 0;
  return ++lines_ <= limits_.head_lines;
}

ssize_t HttpStream::read(char* into, size_t size) {
  if (size == 0) return 0;
  if (at_ == end_ && !refill()) return -1;
  const std::size_t n = std::min(size, end_ - at_);
  for (std::size_t i = 0; i < n; ++i) {
    // A read never crosses from head to body, so that both are counted for what they are.
    const bool in_head = !head_done_;
    if (!within_bounds(buffer_[at_])) return -1;
    into[i] = buffer_[at_++];
    if (in_head && head_done_) return static_cast<ssize_t>(i + 1);
  }
  return static_cast<ssize_t>(n);
}

ssize_t HttpStream::write(const char* from, size_t size) {
  if (muted_) return static_cast<ssize_t>(size);
  if (!writing_) {
    // The response has a budget of its own: a request that took its time still gets its answer.
    writing_ = true;
    until_ = steady_clock::now() + (stopping_ ? limits_.drain : limits_.request);
  }
  std::size_t sent = 0;
  short events = POLLOUT;
  while (sent < size) {
    const ssize_t n = channel_->send(socket_.get(), from + sent, size - sent, events);
    if (n == 0) return -1;
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (!wait(events, until_, /*ends_on_stop=*/false)) {
      return -1;
    }
  }
  return static_cast<ssize_t>(sent);
}

bool HttpStream::is_readable() const {
  pollfd watched{socket_.get(), POLLIN, 0};
  return at_ < end_ || channel_->pending() || ::poll(&watched, 1, 0) == 1;
}

bool HttpStream::is_writable() const {
  pollfd watched{socket_.get(), POLLOUT, 0};
  return ::poll(&watched, 1, 0) == 1;
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) address_of(address, ip, port);
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) address_of(address, ip, port);
}

}  // namespace attestbed::http
