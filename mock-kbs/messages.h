// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/protocol/guest_key.h"
#include "mock-kbs/evidence.h"

// The KBS protocol's bodies 0.4.0 (Trustee, crate kbs-types), read and written with another JSON library than the
// guest's, so that each side is the other's oracle. Nothing is thrown out of here.
namespace attestbed::kbs {

inline constexpr std::string_view kProtocolVersion = "0.4.0";

/// decode_auth_request judges the body of POST /auth: version 0.4.0, tee snp or sample, extra-params present.
///   errors  unsupported_version, tee_unsupported, the JSON codes
Checked<Tee> decode_auth_request(std::string_view body);

/// encode_challenge is the answer to it; `nonce` is standard base64.
std::string encode_challenge(std::string_view nonce);

/// AttestRequest is the body of POST /attest, taken apart.
///   nonce     the challenge as the peer echoed it, compared as text
///   key       a key of one of the three kinds, judged as decode_tee_pubkey says
///   evidence  in one of the three shapes
struct AttestRequest {
  std::string nonce;
  protocol::GuestPublicKey key;
  Evidence evidence;
};
/// decode_attest_request reads it.
///   errors  the JSON codes; those of decode_tee_pubkey and decode_evidence; bad_value for init-data and
///           additional_evidence, of which only null and "" are served
Checked<AttestRequest> decode_attest_request(std::string_view body);

/// encode_token is the answer to it.
std::string encode_token(std::string_view token);

/// encode_problem is the body of every refusal: {"type":"https://…/errors/<variant>","detail":"…"}.
std::string encode_problem(std::string_view variant, std::string_view detail);
/// encode_refusal is the same with the whole refusal as detail, for those who may know it.
std::string encode_refusal(std::string_view variant, const Refusal& why);

}  // namespace attestbed::kbs
