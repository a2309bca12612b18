// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstring>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::protocol {

inline constexpr std::size_t kMinChallengeBytes = 16, kMaxChallengeBytes = 64;

/// Challenge is the broker's nonce, decoded: 16 to 64 octets by value. A longer or shorter one cannot be built.
class Challenge {
 public:
  static Result<Challenge> make(Bytes octets) {
    if (octets.size() < kMinChallengeBytes || octets.size() > kMaxChallengeBytes) {
      return Error{Errc::host_chosen_challenge, "NegotiationResponse.challenge", octets.size(),
                   octets.size() < kMinChallengeBytes ? kMinChallengeBytes : kMaxChallengeBytes};
    }
    Challenge challenge;
    challenge.size_ = octets.size();
    std::memcpy(challenge.octets_.data(), octets.data(), octets.size());
    return challenge;
  }
  Bytes octets() const { return Bytes(octets_).first(size_); }
  friend bool operator==(const Challenge& a, const Challenge& b) {
    return a.size_ == b.size_ && a.octets_ == b.octets_;
  }

 private:
  Challenge() = default;
  ByteArray<kMaxChallengeBytes> octets_{};
  std::size_t size_ = 0;
};

/// AttestationId names one attestation in every log: 16 lower-case hex digits, the first eight octets of
/// SHA-256(challenge). Guest, proxy and broker compute it from what each has; nothing travels for it.
struct AttestationId {
  std::array<char, 16> hex{};
  std::string_view text() const { return {hex.data(), hex.size()}; }
};
Result<AttestationId> attestation_id(const Challenge& challenge);

}  // namespace attestbed::protocol
