// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <memory>

#include "core/posix/fd.h"
#include "http-server/channel.h"

namespace attestbed::http {

/// HttpLimits bounds one connection in octets, lines and time. cpp-httplib's own limits are per read or absent: a peer
/// that sends an octet now and then, or headers without end, would hold a thread and memory for ever.
///   request     from a request's first octet to its last, and the same again for the response
///   idle        between two requests of one connection, and before the first
///   drain       after the stop of the server, for what is under way; after a refusal, for octets still arriving
struct HttpLimits {
  std::chrono::milliseconds request{10'000};
  std::chrono::milliseconds idle{5'000};
  std::chrono::milliseconds drain{2'000};
  std::size_t head_octets = 64 * 1024;
  std::size_t head_lines = 64;
  std::size_t body_octets = 4 * 1024 * 1024;  // with chunk framing; the payload itself has its own cap
  unsigned requests_per_connection = 100;
  unsigned connections = 256;
};

/// HttpStream is the socket of one connection as cpp-httplib sees it, with every bound of HttpLimits in it. What is
/// beyond a bound reads as the end of the stream.
class HttpStream final : public httplib::Stream {
 public:
  /// `stop` is a descriptor that becomes readable when the server stops; `channel` is how the octets travel.
  HttpStream(posix::Fd socket, int stop, const HttpLimits& limits,
             std::unique_ptr<Channel> channel = std::make_unique<PlainChannel>());

  /// await_request waits for the first octet of a request. False: the peer left, said nothing, or the server stops.
  bool await_request();
  /// expect_body says what the head announced; consumed tells whether exactly that was read, so that the next octet is
  /// the first of another request.
  void expect_body(std::uint64_t octets) { announced_ = octets; }
  bool consumed() const { return head_done_ && body_ == announced_; }
  /// close ends the connection in order: what the peer still sends is read for a moment, so that the response is not
  /// lost to a reset.
  void close();

  /// For servers that misbehave on purpose. mute swallows what is written until the next request or unmute; pause waits
  /// (false if the server stops first) at the cost of nobody's deadline but its own; abort ends the connection at once:
  /// with a reset where the peer is not to know of an end.
  void mute() { muted_ = true; }
  void unmute() { muted_ = false; }
  bool pause(std::chrono::milliseconds time);
  enum class Abort { close, reset };
  void abort(Abort how);

  /// problem is the channel's.
  std::string problem() const { return channel_->problem(); }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* into, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  using httplib::Stream::write;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_.get(); }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  bool wait(short events, SteadyTime until, bool ends_on_stop);
  bool refill();
  bool within_bounds(char octet);

  posix::Fd socket_;
  int stop_;
  const HttpLimits& limits_;
  const std::unique_ptr<Channel> channel_;
  SteadyTime until_{};
  bool stopping_ = false;
  bool writing_ = false;
  bool muted_ = false;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0, end_ = 0;
  bool head_done_ = false;
  std::size_t head_ = 0, lines_ = 0, line_ = 0;
  std::uint64_t body_ = 0, announced_ = 0;
};

}  // namespace attestbed::http
