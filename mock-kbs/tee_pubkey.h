// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/protocol/guest_key.h"
#include "mock-kbs/bounded_json.h"

// The guest's key as KBS messages and tokens carry it: a JWK (RFC 7517) with the members that Trustee's have.
namespace attestbed::kbs {

/// decode_tee_pubkey reads and judges a guest's key: EC on P-521 or P-256 with coordinates of exact width on the curve,
/// or RSA with n of exactly 3072 bits and e = 65537. Other members are ignored.
///   errors  key_unsupported for another kty, crv or alg; bad_base64, bad_length, bad_value, bad_point; the JSON codes
Checked<protocol::GuestPublicKey> decode_tee_pubkey(const Members& key);

/// tee_pubkey_json is its inverse. nlohmann's objects are sorted, so dump() of it is the text of RFC 8785.
nlohmann::json tee_pubkey_json(const protocol::GuestPublicKey& key);

/// thumbprint is the key's RFC 7638 thumbprint: base64url of the SHA-256 of its required members.
std::string thumbprint(const protocol::GuestPublicKey& key);

}  // namespace attestbed::kbs
