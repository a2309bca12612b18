// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/protocol/challenge.h"
#include "tools/attestbed/run_scenario.h"

namespace attestbed::tools {

/// Sender is the end of the line that a frame comes from.
enum class Sender { guest, host };

/// Tampered is what the man in the middle passes on instead of a frame, and what he did, for a log.
///   note  {message, field, done}
struct Tampered {
  std::string body;
  nlohmann::ordered_json note;
};

/// tamper_with changes one field of the one message that `how` is about, and nothing else in it:
///   challenge   NegotiationResponse: one bit of the challenge
///   params      NegotiationResponse: params ["Challenge"], challenge = x, y of a key of the host's, then the nonce
///   key         AttestationRequest: another valid P-521 public key
///   signature   AttestationRequest: one bit of r of the report's signature
///   ciphertext  AttestationResponse: one bit of the ciphertext
/// Returns nothing for every other message, and for what it cannot read: then the frame passes as it is.
std::optional<Tampered> tamper_with(Tamper how, Sender from, const std::string& body);

/// is_negotiation_response tells the first answer of a host, which has a challenge.
bool is_negotiation_response(Sender from, const std::string& body);

/// attestation_of is the id that every log names, from a frame that has a challenge; empty if it has none or one that
/// no guest accepts.
std::string attestation_of(const std::string& body);

}  // namespace attestbed::tools
