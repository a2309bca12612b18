// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace attestbed::http {

/// Channel moves the octets of one connection between HttpStream and a non-blocking socket: as they are, or under TLS.
/// It never waits; HttpStream does, within its deadlines.
class Channel {
 public:
  /// kAgain is returned by receive and send where the socket has to become ready first, for the poll(2) events that
  /// `waits_for` then holds: under TLS a read may have to write.
  static constexpr ssize_t kAgain = -1;

  virtual ~Channel() = default;
  /// receive yields 1..size octets, 0 at the end of the stream and when it failed, or kAgain.
  virtual ssize_t receive(int socket, char* into, std::size_t size, short& waits_for) = 0;
  /// send takes 1..size octets, 0 when the connection failed, or kAgain.
  virtual ssize_t send(int socket, const char* from, std::size_t size, short& waits_for) = 0;
  /// pending: octets are here that the socket will not announce.
  virtual bool pending() const = 0;
  /// end says to the peer, if that can be said at once, that no more will be sent.
  virtual void end(int socket) = 0;
  /// problem is why the channel could not be set up, for the log; empty if nothing is known to be wrong.
  virtual std::string problem() const = 0;
};

/// PlainChannel is the socket itself.
class PlainChannel final : public Channel {
 public:
  ssize_t receive(int socket, char* into, std::size_t size, short& waits_for) override;
  ssize_t send(int socket, const char* from, std::size_t size, short& waits_for) override;
  bool pending() const override { return false; }
  void end(int socket) override;
  std::string problem() const override { return {}; }
};

}  // namespace attestbed::http
