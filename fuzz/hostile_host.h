// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/protocol/ext.h"
#include "fuzz/scripted_line.h"

namespace attestbed::fuzz {

/// SealedFor is a secret that was really sealed, to whom, under which header.
struct SealedFor {
  crypto::EcPoint guest, epk;
  std::string header, secret;
};

/// HostileHost makes the frames that a host sends a guest; a script (ScriptedLine) says which and breaks them. Frames,
/// by `which` modulo 6, with their operands:
///   0 n:1             NegotiationResponse with a challenge of n modulo 80 octets, `accepted` if n >= 128
///   1 n:1             the recorded NegotiationResponse of case n
///   2 n:1             the recorded AttestationResponse of case n
///   3 header:1 n:1    AttestationResponse sealed to the key that the guest sent (to another's, if it sent none): a
///                     secret of n * 16 octets under the right header, or, if header > 0, under the right header with
///                     `drop:1 octets:header` put in at at:1
///   4 code:1 detail:1 an error, of phase 1 if code is even, with 2 * detail octets of detail
///   5                 success false, no reason
class HostileHost {
 public:
  explicit HostileHost(const protocol::Terms& accepted) : accepted_(accepted) {}

  /// frame needs what the guest has written so far, to find its key.
  std::string frame(std::uint8_t which, Reader& operands, const Octets& guest_wrote);

  const std::vector<SealedFor>& sealed() const { return sealed_; }

 private:
  std::string negotiation(std::uint8_t n) const;
  std::string sealed_answer(std::string header, std::size_t size, const crypto::EcPoint& guest);
  protocol::Terms accepted_;
  std::vector<SealedFor> sealed_;
};

}  // namespace attestbed::fuzz
