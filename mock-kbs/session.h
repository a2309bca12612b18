// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/crypto/sha2.h"
#include "core/platform/clock.h"
#include "core/platform/entropy.h"
#include "core/protocol/challenge.h"
#include "core/protocol/guest_key.h"
#include "core/snp/report.h"
#include "mock-kbs/resource_policy.h"

namespace attestbed::kbs {

/// Grant is what an attested guest may have: what the resource policy gives to evidence of this kind and status, of the
/// entry with this measurement as long as it still judges as it did (`sample` has none), sealed to this key.
struct Grant {
  Tee tee = Tee::snp;
  TrustTier status = TrustTier::none;
  snp::Measurement measurement{};
  crypto::Sha256Digest judged_by{};  // ReferenceEntry::judged_by, then
  protocol::GuestPublicKey key;
  protocol::AttestationId attestation;
};

/// NonceMode says how long a nonce serves.
///   strict   for one attestation that reads as one, whatever becomes of it
///   trustee  until one succeeds or the session ends; then the session's token is given out again, unseen
enum class NonceMode : std::uint8_t { strict, trustee };

/// SessionTable remembers who was challenged and who has attested. A session is found by the SHA-256 of its cookie, so
/// that the time of a look-up says nothing about the cookies there are. Safe from any thread.
class SessionTable {
 public:
  struct Limits {
    std::chrono::seconds lifetime{300};  // from open(), never extended
    std::size_t max_sessions = 4096;     // one more is refused: whoever may ask must not end another's session
    NonceMode nonce_mode = NonceMode::strict;
    std::size_t nonce_octets = 32;  // as Trustee's; kbs-test has 16
    // Makes every nonce predictable, for recordings: SHA-256(seed, number of the session), cut to nonce_octets.
    std::optional<std::string> nonce_seed = std::nullopt;
  };
  SessionTable(Clock& clock, Entropy& entropy, Limits limits) : clock_(clock), entropy_(entropy), limits_(limits) {}

  /// Facts of a live session that nobody needs to be attested for.
  struct Facts {
    protocol::AttestationId attestation;
    verify::Time expires;  // on the wall clock, for the cookie
    Tee tee = Tee::snp;    // as /auth was told
  };
  struct Opened {
    std::string cookie;  // 32 hex digits
    std::string nonce;   // standard base64
    Facts facts;
  };
  /// open makes a session with a fresh cookie and a fresh nonce.
  ///   errors  broker_unavailable while there are as many live ones as may be; what Entropy returns, internal
  Checked<Opened> open(Tee tee, verify::Time now);

  /// facts of the session of this cookie. Errors: session_unknown, for expired ones too.
  Checked<Facts> facts(std::string_view cookie);

  /// token_again is the token of a session that has attested, in mode trustee; in strict, and before that, none.
  /// Errors: session_unknown.
  Checked<std::optional<std::string>> token_again(std::string_view cookie);

  /// spend_nonce compares `nonce` with the session's and yields the challenge. In mode strict that takes it out of the
  /// session, whether they match or not.
  ///   errors  session_unknown, nonce_used, nonce_mismatch
  Checked<protocol::Challenge> spend_nonce(std::string_view cookie, std::string_view nonce);

  /// admit turns a session whose nonce was spent into an attested one. `token` is kept where it may be asked for again.
  /// Errors: session_unknown if it ended meanwhile.
  Checked<void> admit(std::string_view cookie, const Grant& grant, std::string_view token);

  /// grant of an attested session. Errors: session_unknown, also for a session that has not attested.
  Checked<Grant> grant(std::string_view cookie);

  /// end makes the session one that has expired. False if there was none.
  bool end(std::string_view cookie);
  /// end_all does so with every session.
  void end_all();

  std::size_t size();

 private:
  struct Challenged {
    std::string nonce;
    protocol::Challenge challenge;
  };
  struct Spent {};
  struct Attested {
    Grant grant;
    std::string token;  // empty in mode strict
  };
  struct Session {
    Instant ends;
    Facts facts;
    std::variant<Challenged, Spent, Attested> state;
  };
  Checked<std::vector<std::uint8_t>> draw_nonce();
  Checked<Session*> find(std::string_view cookie);
  void drop_ended();

  Clock& clock_;
  Entropy& entropy_;
  const Limits limits_;
  std::mutex mutex_;
  std::uint64_t opened_ = 0;
  std::map<crypto::Sha256Digest, Session> sessions_;
  std::deque<crypto::Sha256Digest> by_age_;  // all live equally long, so the oldest is the first to end
};

}  // namespace attestbed::kbs
