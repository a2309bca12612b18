// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/session.h"

#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

constexpr std::size_t kCookieOctets = 16;
constexpr std::size_t kNonceOctets = 32;

Refusal unknown() {
  return {Errc::session_unknown, "Cookie.kbs-session-id", "the cookie of a live session", "an unknown or expired one"};
}

}  // namespace

Checked<SessionTable::Opened> SessionTable::open(verify::Time now) {
  const std::lock_guard lock(mutex_);
  drop_ended();
  if (sessions_.size() >= limits_.max_sessions) {
    return Refusal{Errc::broker_unavailable, "SessionTable",
                   "fewer than " + std::to_string(limits_.max_sessions) + " live sessions",
                   std::to_string(sessions_.size())};
  }
  ByteArray<kCookieOctets> cookie_octets;
  ByteArray<kNonceOctets> nonce_octets;
  TRY(checked(entropy_.fill(cookie_octets)));
  TRY(checked(entropy_.fill(nonce_octets)));
  const protocol::Challenge challenge = TRY(checked(protocol::Challenge::make(nonce_octets)));
  const protocol::AttestationId attestation = TRY(checked(protocol::attestation_id(challenge)));
  Opened opened{.cookie = verify::hex_text(cookie_octets),
                .nonce = base64_text(Base64::standard, nonce_octets),
                .facts = {.attestation = attestation, .expires = now + limits_.lifetime}};
  const crypto::Sha256Digest id = TRY(checked(crypto::sha256({bytes_of(opened.cookie)})));
  const auto [at, fresh] = sessions_.try_emplace(
      id, Session{clock_.now() + limits_.lifetime, opened.facts, Challenged{opened.nonce, challenge}});
  if (!fresh) return Refusal{Errc::internal, "Entropy", "a fresh cookie", "one that is in use"};
  by_age_.push_back(id);
  return opened;
}

Checked<SessionTable::Facts> SessionTable::facts(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  return TRY(find(cookie))->facts;
}

Checked<protocol::Challenge> SessionTable::spend_nonce(std::string_view cookie, std::string_view nonce) {
  const std::lock_guard lock(mutex_);
  Session* session = TRY(find(cookie));
  const auto* challenged = std::get_if<Challenged>(&session->state);
  if (challenged == nullptr) {
    return Refusal{Errc::nonce_used, "runtime-data.nonce", "a nonce that no attempt has used", "one that was used"};
  }
  const Challenged spent = *challenged;
  session->state = Spent{};
  if (nonce != spent.nonce) {
    return Refusal{Errc::nonce_mismatch, "runtime-data.nonce", spent.nonce, verify::printable(nonce, 64)};
  }
  return spent.challenge;
}

Checked<void> SessionTable::admit(std::string_view cookie, const Grant& grant) {
  const std::lock_guard lock(mutex_);
  Session* session = TRY(find(cookie));
  if (!std::holds_alternative<Spent>(session->state)) {
    return Refusal{Errc::internal, "SessionTable", "a session whose nonce was spent", "another"};
  }
  session->state = grant;
  return {};
}

Checked<Grant> SessionTable::grant(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  const auto* grant = std::get_if<Grant>(&TRY(find(cookie))->state);
  if (grant != nullptr) return *grant;
  return Refusal{Errc::session_unknown, "Cookie.kbs-session-id", "a session that has attested", "one that has not"};
}

std::size_t SessionTable::size() {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

Checked<SessionTable::Session*> SessionTable::find(std::string_view cookie) {
  drop_ended();
  const crypto::Sha256Digest id = TRY(checked(crypto::sha256({bytes_of(cookie)})));
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return unknown();
  return &at->second;
}

void SessionTable::drop_ended() {
  const Instant now = clock_.now();
  while (!by_age_.empty()) {
    const auto oldest = sessions_.find(by_age_.front());
    if (oldest->second.ends > now) return;
    sessions_.erase(oldest);
    by_age_.pop_front();
  }
}

}  // namespace attestbed::kbs
