// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "core/crypto/sha2.h"
#include "core/platform/clock.h"
#include "core/platform/entropy.h"
#include "core/protocol/challenge.h"
#include "core/protocol/guest_key.h"
#include "core/snp/report.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// Grant is what an attested guest may have: the resources of the entry with this measurement, sealed to this key.
struct Grant {
  snp::Measurement measurement{};
  protocol::GuestPublicKey key;
  protocol::AttestationId attestation;
};

/// SessionTable remembers who was challenged and who has attested. A session is found by the SHA-256 of its cookie, so
/// that the time of a look-up says nothing about the cookies there are. Safe from any thread.
class SessionTable {
 public:
  struct Limits {
    std::chrono::seconds lifetime{300};  // from open(), never extended
    std::size_t max_sessions = 4096;     // one more is refused: whoever may ask must not end another's session
  };
  SessionTable(Clock& clock, Entropy& entropy, Limits limits) : clock_(clock), entropy_(entropy), limits_(limits) {}

  /// Facts of a live session that nobody needs to be attested for.
  struct Facts {
    protocol::AttestationId attestation;
    verify::Time expires;  // on the wall clock, for the cookie
  };
  struct Opened {
    std::string cookie;  // 32 hex digits
    std::string nonce;   // standard base64 of 32 octets
    Facts facts;
  };
  /// open makes a session with a fresh cookie and a fresh nonce.
  ///   errors  broker_unavailable while there are as many live ones as may be; what Entropy returns, internal
  Checked<Opened> open(verify::Time now);

  /// facts of the session of this cookie. Errors: session_unknown, for expired ones too.
  Checked<Facts> facts(std::string_view cookie);

  /// spend_nonce takes the challenge out of the session, whether `nonce` matches it or not: it serves one attempt.
  ///   errors  session_unknown, nonce_used, nonce_mismatch
  Checked<protocol::Challenge> spend_nonce(std::string_view cookie, std::string_view nonce);

  /// admit turns a session whose nonce was spent into an attested one. Errors: session_unknown if it ended meanwhile.
  Checked<void> admit(std::string_view cookie, const Grant& grant);

  /// grant of an attested session. Errors: session_unknown, also for a session that has not attested.
  Checked<Grant> grant(std::string_view cookie);

  std::size_t size();

 private:
  struct Challenged {
    std::string nonce;
    protocol::Challenge challenge;
  };
  struct Spent {};
  struct Session {
    Instant ends;
    Facts facts;
    std::variant<Challenged, Spent, Grant> state;
  };
  Checked<Session*> find(std::string_view cookie);
  void drop_ended();

  Clock& clock_;
  Entropy& entropy_;
  const Limits limits_;
  std::mutex mutex_;
  std::map<crypto::Sha256Digest, Session> sessions_;
  std::deque<crypto::Sha256Digest> by_age_;  // all live equally long, so the oldest is the first to end
};

}  // namespace attestbed::kbs
