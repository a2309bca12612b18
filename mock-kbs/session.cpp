// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/session.h"

#include <algorithm>

#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

constexpr std::size_t kCookieOctets = 16;

Refusal unknown() {
  return {Errc::session_unknown, "Cookie.kbs-session-id", "the cookie of a live session", "an unknown or expired one"};
}

}  // namespace

Checked<std::vector<std::uint8_t>> SessionTable::draw_nonce() {
  std::vector<std::uint8_t> nonce(limits_.nonce_octets);
  if (!limits_.nonce_seed) {
    TRY(checked(entropy_.fill(nonce)));
    return nonce;
  }
  const std::string number = std::to_string(opened_++);
  const crypto::Sha256Digest digest = TRY(checked(crypto::sha256({bytes_of(*limits_.nonce_seed), bytes_of(number)})));
  std::copy_n(digest.begin(), std::min(nonce.size(), digest.size()), nonce.begin());
  return nonce;
}

Checked<SessionTable::Opened> SessionTable::open(Tee tee, verify::Time now) {
  const std::lock_guard lock(mutex_);
  drop_ended();
  if (sessions_.size() >= limits_.max_sessions) {
    return Refusal{Errc::broker_unavailable, "SessionTable",
                   "fewer than " + std::to_string(limits_.max_sessions) + " live sessions",
                   std::to_string(sessions_.size())};
  }
  ByteArray<kCookieOctets> cookie_octets;
  TRY(checked(entropy_.fill(cookie_octets)));
  const std::vector<std::uint8_t> nonce_octets = TRY(draw_nonce());
  const protocol::Challenge challenge = TRY(checked(protocol::Challenge::make(nonce_octets)));
  const protocol::AttestationId attestation = TRY(checked(protocol::attestation_id(challenge)));
  Opened opened{.cookie = verify::hex_text(cookie_octets),
                .nonce = base64_text(Base64::standard, nonce_octets),
                .facts = {.attestation = attestation, .expires = now + limits_.lifetime, .tee = tee}};
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

Checked<std::optional<std::string>> SessionTable::token_again(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  const Session* session = TRY(find(cookie));
  const auto* attested = std::get_if<Attested>(&session->state);
  std::optional<std::string> token;
  if (attested != nullptr && !attested->token.empty()) token = attested->token;
  return token;
}

Checked<protocol::Challenge> SessionTable::spend_nonce(std::string_view cookie, std::string_view nonce) {
  const std::lock_guard lock(mutex_);
  Session* session = TRY(find(cookie));
  const auto* challenged = std::get_if<Challenged>(&session->state);
  if (challenged == nullptr) {
    return Refusal{Errc::nonce_used, "runtime-data.nonce", "a nonce that no attempt has used", "one that was used"};
  }
  const Challenged spent = *challenged;
  if (limits_.nonce_mode == NonceMode::strict) session->state = Spent{};
  if (nonce != spent.nonce) {
    return Refusal{Errc::nonce_mismatch, "runtime-data.nonce", spent.nonce, verify::printable(nonce, 64)};
  }
  return spent.challenge;
}

Checked<void> SessionTable::admit(std::string_view cookie, const Grant& grant, std::string_view token) {
  const std::lock_guard lock(mutex_);
  Session* session = TRY(find(cookie));
  const bool strict = limits_.nonce_mode == NonceMode::strict;
  if (strict && !std::holds_alternative<Spent>(session->state)) {
    return Refusal{Errc::internal, "SessionTable", "a session whose nonce was spent", "another"};
  }
  session->state = Attested{grant, strict ? std::string() : std::string(token)};
  return {};
}

Checked<Grant> SessionTable::grant(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  const Session* session = TRY(find(cookie));
  const auto* attested = std::get_if<Attested>(&session->state);
  if (attested != nullptr) return attested->grant;
  return Refusal{Errc::session_unknown, "Cookie.kbs-session-id", "a session that has attested", "one that has not"};
}

bool SessionTable::end(std::string_view cookie) {
  const std::lock_guard lock(mutex_);
  const Checked<Session*> session = find(cookie);
  if (!session) return false;
  const Result<crypto::Sha256Digest> id = crypto::sha256({bytes_of(cookie)});
  sessions_.erase(*id);
  std::erase(by_age_, *id);
  return true;
}

void SessionTable::end_all() {
  const std::lock_guard lock(mutex_);
  sessions_.clear();
  by_age_.clear();
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
