// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a broker in the same process, and guests that speak frames over a socket.

#include <atomic>
#include <functional>
#include <optional>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"
#include "proxy/backend.h"
#include "proxy/vector_cases.h"

namespace attestbed::proxy {

/// FakeBroker keeps the rules of a broker (a session is opened, attested, then served) and answers with a recorded
/// case. `fault` may let a call fail; a `hang` waits until its deadline or until it is cancelled, as a network does.
class FakeBroker final : public Backend {
 public:
  enum class Call { auth, attest, resource };
  explicit FakeBroker(const VectorCase& recorded) : recorded_(recorded) {}
  std::unique_ptr<BrokerSession> open(const std::atomic<bool>& cancelled) override;

  std::function<std::optional<Failure>(Call)> fault = [](Call) { return std::nullopt; };
  std::optional<Call> hang;
  std::size_t ciphertext_octets = 0;  // 0: the recorded ciphertext
  std::string token;                  // empty: the recorded token

  std::atomic<int> sessions = 0, attests = 0;
  std::atomic<int> hanging = 0;

 private:
  friend class FakeSession;
  const VectorCase& recorded_;
};

/// GuestEnd is a guest's end of a line, driven by a test. Its waits are generous: a test that works never sees them
/// end.
class GuestEnd {
 public:
  explicit GuestEnd(posix::Fd fd);
  static GuestEnd connect(const std::string& path);

  bool send(const std::string& body);
  bool send_raw(const std::string& octets);
  /// receive returns the next frame, or "(code)" if there is none.
  std::string receive();
  /// negotiate and conclude play a phase of the guest's part of `recorded`, attest both; they say whether the answer
  /// was the recorded one.
  bool negotiate(const VectorCase& recorded);
  bool conclude(const VectorCase& recorded);
  bool attest(const VectorCase& recorded);
  void hang_up() { wire_.reset(); }

 private:
  std::unique_ptr<posix::SteadyClock> clock_;
  std::unique_ptr<posix::FdTransport> wire_;
};

/// code_in is `code` of the error frame `body`, in the form of `phase`; empty if `body` is no such frame.
std::string code_in(const std::string& body, protocol::Phase phase);

struct SocketPair {
  posix::Fd proxy_end, guest_end;
};
SocketPair socket_pair();

}  // namespace attestbed::proxy
