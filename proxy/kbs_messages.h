// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "proxy/backend.h"

namespace attestbed::proxy::kbs {

inline constexpr std::string_view kProtocolVersion = "0.4.0";
inline constexpr std::size_t kMaxTokenBytes = 48 * 1024;

/// auth_request is the body of POST /auth, octet for octet as stock aproxy sends it.
std::string auth_request(protocol::Tee tee);

/// attest_request is the body of POST /attest. The binding decides the form of the evidence: under svsm-sha512 the body
/// is octet for octet what stock aproxy sends; under kbs-sha384 the evidence is Trustee's structure, and nonce and key
/// stand in `runtime-data` as the guest hashed them.
///   nonce   the broker's own string, as parse_challenge returned it
///   errors  those of structured_evidence
Result<std::string> attest_request(std::string_view nonce, const protocol::AttestationRequest& request,
                                   protocol::Binding binding);

/// Nonce is the broker's challenge: its very string, which goes back to it, and the octets, which go to the guest.
struct Nonce {
  std::string text;
  protocol::Challenge challenge;
};

/// parse_challenge, parse_token and parse_jwe read the bodies of 200 answers. Unknown members are ignored, duplicates
/// refused, depth and members bounded as in core/base/json.h.
///   errors  the JSON codes, bad_base64, bad_length, bad_value, too_large with the member's name in `where`;
///           broker_nonce: not canonical standard base64 of 16..64 octets; secret_too_large: above 32 KiB
Result<Nonce> parse_challenge(std::string_view body);
/// parse_token yields `token`: visible ASCII, so it can be a header field; at most 48 KiB.
Result<std::string> parse_token(std::string_view body);
/// parse_jwe reads a secret that is sealed to a key of type `key`: to EC with an epk on its curve and a wrapped key of
/// 40 octets, to RSA without epk and with one of 384.
Result<SealedSecret> parse_jwe(std::string_view body, protocol::KeyType key);

/// problem_kind is the last part of `type` in an error body (".../errors/PolicyDeny") if it is one of the KBS
/// protocol's names; else empty.
std::string problem_kind(std::string_view body);

/// is_problem tells an error body of a KBS, of whatever version, from one of something before it: `type` is one of
/// those names, or stands behind "/kbs/errors/".
bool is_problem(std::string_view body);

/// other_version is the protocol version in `detail` of an error body ("0.2.0") that a broker says that it speaks: not
/// ours, and one or two words behind one that begins with "expect", "support" or "version". Three numbers of at most
/// three digits, and nothing else of the broker's words; empty if there is none.
std::string other_version(std::string_view body);

}  // namespace attestbed::proxy::kbs
