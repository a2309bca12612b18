// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/platform/report_provider.h"
#include "core/protocol/challenge.h"
#include "core/protocol/ext.h"
#include "core/protocol/jwe.h"
#include "core/protocol/negotiation.h"

namespace attestbed::protocol {

inline constexpr std::size_t kMaxCertsBytes = 16 * 1024;

/// AttestationRequest: guest to proxy. Views are valid as long as what they view.
///   report  1184 octets, `evidence.Snp.report`
///   certs   the host's certificate table, `evidence.Snp.certs_buf`; empty = omitted; at most 16 KiB
struct AttestationRequest {
  Tee tee = Tee::snp;
  Bytes report;
  Bytes certs;
  Bytes challenge;
  GuestPublicKey key;
};
Result<Bytes> encode_attestation_request(const AttestationRequest& request, MutBytes into);
/// decode_attestation_request checks form and exact lengths (report 1184, challenge 16..64) and reads `key` as a key of
/// the type that both sides agreed on: {x,y}, or {n,e} for RSA. Views point into `json`.
Result<AttestationRequest> decode_attestation_request(MutBytes json, KeyType key);

/// Token is the broker's verdict, passed on for the guest's owner; the guest does not look into it.
struct Token {
  std::string_view kind;  // "Jwt" or "Cwt"
  std::string_view text;
};

/// AttestationResponse: proxy to guest. `secret` (ciphertext without tag) and `decryption` come together.
struct AttestationResponse {
  bool success = false;
  std::optional<MutBytes> secret;
  std::optional<Decryption> decryption;
  std::optional<Token> token;
  std::optional<HostError> error;
};
/// encode_attestation_response writes a token that does not fit into a frame as null. Errors: no_space.
Result<Bytes> encode_attestation_response(const AttestationResponse& response, MutBytes into);

/// decode_attestation_response reads the host's answer to a guest whose key is of type `key`; views point into `json`.
///   errors  contradiction (success with error, or success without secret and decryption), bad_length for every
///           field with one legal length, too_large for secret and aad, the JSON and base64 codes
Result<AttestationResponse> decode_attestation_response(MutBytes json, KeyType key);

}  // namespace attestbed::protocol
