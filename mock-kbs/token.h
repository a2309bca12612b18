// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/platform/entropy.h"
#include "mock-kbs/judge_evidence.h"
#include "mock-kbs/session.h"

namespace attestbed::kbs {

/// Claims is what a token says about one attestation.
struct Claims {
  const Accepted& accepted;
  const protocol::GuestPublicKey& key;
  const protocol::Challenge& challenge;
};

inline constexpr std::size_t kMaxTokenBytes = 8 * 1024;

/// TokenIssuer makes and checks attestation tokens: JWTs signed with ES256 under a P-256 key that lives as long as the
/// process, whose public half travels in the header's `jwk` (claims as Trustee's: draft-ietf-rats-ear). Its functions
/// are const and may be called from any thread.
class TokenIssuer {
 public:
  /// make draws the key from `entropy`; tokens live for `lifetime`.
  static Checked<TokenIssuer> make(Entropy& entropy, std::chrono::seconds lifetime);
  TokenIssuer(TokenIssuer&&) noexcept;
  ~TokenIssuer();

  Checked<std::string> issue(const Claims& claims, verify::Time now) const;

  /// key_set is the JWK Set (RFC 7517) under which tokens verify: one key, whose `kid` is its RFC 7638 thumbprint.
  std::string key_set() const;

  /// check accepts a token that this issuer made and that has not expired, and says what its bearer may have. The
  /// header must be octet for octet the one that issue() writes, so no other algorithm and no other key is ever
  /// considered.
  ///   errors  token_invalid, token_expired
  Checked<Grant> check(std::string_view token, verify::Time now) const;

  /// end_all makes every token that was issued so far one that check() refuses.
  void end_all() const;

  /// reissue signs the claims of `token` again with `exp` so many seconds after `iat`, which may be before it: for
  /// tests of those who carry tokens. Errors: token_invalid.
  Checked<std::string> reissue(std::string_view token, std::int64_t seconds) const;

 private:
  struct Impl;
  explicit TokenIssuer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::kbs
