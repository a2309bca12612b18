// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_plan.h"

namespace attestbed::kbs {
namespace {

constexpr unsigned bit(FaultEndpoint endpoint) {
  return 1U << static_cast<unsigned>(endpoint);
}
constexpr unsigned kAuth = bit(FaultEndpoint::auth);
constexpr unsigned kAttest = bit(FaultEndpoint::attest);
constexpr unsigned kResource = bit(FaultEndpoint::resource);
constexpr unsigned kRequest = kAuth | kAttest | kResource | bit(FaultEndpoint::any);
constexpr unsigned kConnection = bit(FaultEndpoint::connection);

constexpr std::uint32_t kMostMs = 120'000;
constexpr std::uint32_t kMostSeconds = 3'600;
constexpr std::uint32_t kMostOctets = 8 * 1024 * 1024;

constexpr FaultArgument kNone = FaultArgument::none;
constexpr FaultArgument kOptional = FaultArgument::optional;
constexpr FaultArgument kNeeded = FaultArgument::needed;
constexpr FaultArgument kWord = FaultArgument::word;

using K = FaultKind;

constexpr FaultName kNames[] = {
    {"delay", K::delay, 0, kRequest, kOptional, 1'000, kMostMs, "waits so many ms before the answer begins"},
    {"stall", K::stall, 0, kRequest, kOptional, 1'000, kMostMs, "waits so many ms in the middle of the body"},
    {"trickle", K::trickle, 0, kRequest, kOptional, 100, kMostMs, "sends one octet, then waits so many ms, and so on"},
    {"close", K::close, 0, kRequest | kConnection, kNone, 0, 0, "closes the connection instead of answering"},
    {"reset", K::reset, 0, kRequest | kConnection, kNone, 0, 0,
     "resets the connection in the middle of the body; of a connection, at once"},
    {"refuse", K::refuse, 0, kRequest, kOptional, 1'000, kMostMs,
     "answers, closes, and refuses connections for so many ms"},
    {"short-body", K::short_body, 0, kRequest, kNone, 0, 0, "announces the whole body, sends half of it and closes"},
    {"long-body", K::long_body, 0, kRequest, kNone, 0, 0, "announces half of the body and sends all of it"},
    {"chunked", K::chunked, 0, kRequest, kNone, 0, 0, "sends the right answer in chunks, without a length"},
    {"401", K::status, 401, kRequest, kWord, 0, 0, "answers this status, with the error variant of the argument"},
    {"404", K::status, 404, kRequest, kNone, 0, 0, "answers this status"},
    {"405", K::status, 405, kRequest, kNone, 0, 0, "answers this status"},
    {"413", K::status, 413, kRequest, kNone, 0, 0, "answers this status"},
    {"417", K::status, 417, kRequest, kNone, 0, 0, "answers this status"},
    {"429", K::status, 429, kRequest, kOptional, 0, kMostSeconds, "answers this status, with Retry-After in seconds"},
    {"500", K::status, 500, kRequest, kNone, 0, 0, "answers this status"},
    {"502", K::status, 502, kRequest, kNone, 0, 0, "answers this status"},
    {"503", K::status, 503, kRequest, kOptional, 0, kMostSeconds, "answers this status, with Retry-After in seconds"},
    {"504", K::status, 504, kRequest, kNone, 0, 0, "answers this status"},
    {"redirect-host", K::redirect_host, 0, kRequest, kNone, 0, 0, "answers 307 to another host"},
    {"redirect-file", K::redirect_file, 0, kRequest, kNone, 0, 0, "answers 307 to a file: URL"},
    {"empty", K::empty, 0, kRequest, kNone, 0, 0, "answers 200 without a body"},
    {"html", K::html, 0, kRequest, kNone, 0, 0, "answers 200 with a page for people"},
    {"truncate", K::truncate, 0, kRequest, kOptional, 0, kMostOctets,
     "ends the JSON after so many octets (0: half of it); the length fits"},
    {"trailing", K::trailing, 0, kRequest, kNone, 0, 0, "adds octets after the JSON"},
    {"garbage", K::garbage, 0, kRequest, kNone, 0, 0, "answers 200 with octets of the seed"},
    {"oversize", K::oversize, 0, kRequest, kOptional, 4 * 1024 * 1024, kMostOctets,
     "adds an unknown member of so many octets"},
    {"replay", K::replay, 0, kRequest, kNone, 0, 0, "answers what it answered to the endpoint's first request"},
    {"member-missing", K::member_missing, 0, kRequest, kWord, 0, 0, "leaves out a member (the first without a name)"},
    {"member-duplicate", K::member_duplicate, 0, kRequest, kWord, 0, 0, "says a member twice"},
    {"member-null", K::member_null, 0, kRequest, kWord, 0, 0, "makes a member null"},
    {"member-unknown", K::member_unknown, 0, kRequest, kNone, 0, 0, "adds a member that nobody knows"},
    {"version", K::version, 0, kAuth, kWord, 0, 0, "refuses as a broker of another protocol version (0.3.0)"},
    {"nonce-empty", K::nonce_empty, 0, kAuth, kNone, 0, 0, "a nonce without a character"},
    {"nonce-short", K::nonce_short, 0, kAuth, kNone, 0, 0, "a nonce of one octet"},
    {"nonce-huge", K::nonce_huge, 0, kAuth, kNone, 0, 0, "a nonce of 1 MiB"},
    {"nonce-url", K::nonce_url, 0, kAuth, kNone, 0, 0, "a nonce in the URL-safe alphabet"},
    {"nonce-unpadded", K::nonce_unpadded, 0, kAuth, kNone, 0, 0, "the nonce without its padding"},
    {"nonce-repeated", K::nonce_repeated, 0, kAuth, kNone, 0, 0, "the nonce of the session before"},
    {"cookie-missing", K::cookie_missing, 0, kAuth | kAttest, kNone, 0, 0, "no Set-Cookie"},
    {"cookie-changed", K::cookie_changed, 0, kAuth | kAttest, kNone, 0, 0, "a cookie of no session"},
    {"cookie-expired", K::cookie_expired, 0, kAuth | kAttest, kNone, 0, 0, "the cookie, expired already"},
    {"cookie-path", K::cookie_path, 0, kAuth | kAttest, kNone, 0, 0, "the cookie, for another path"},
    {"cookie-domain", K::cookie_domain, 0, kAuth | kAttest, kNone, 0, 0, "the cookie, for another domain"},
    {"session-expired", K::session_expired, 0, kAttest | kResource, kNone, 0, 0,
     "the session ends just before the request"},
    {"token-text", K::token_text, 0, kAttest, kNone, 0, 0, "a token that is no JWT"},
    {"token-huge", K::token_huge, 0, kAttest, kNone, 0, 0, "a token of 200 KiB"},
    {"token-expired", K::token_expired, 0, kAttest, kNone, 0, 0, "a well-signed token that has expired"},
    {"token-alg-none", K::token_alg_none, 0, kAttest, kNone, 0, 0, "the token with alg none and no signature"},
    {"jwe-tag", K::jwe_tag, 0, kResource, kNone, 0, 0, "one bit of the tag flipped, by the seed"},
    {"jwe-ciphertext", K::jwe_ciphertext, 0, kResource, kNone, 0, 0, "one bit of the ciphertext flipped, by the seed"},
    {"jwe-header-order", K::jwe_header_order, 0, kResource, kNone, 0, 0, "sound, header members in another order"},
    {"jwe-header-spaces", K::jwe_header_spaces, 0, kResource, kNone, 0, 0, "sound, with spaces in the header"},
    {"jwe-epk-off-curve", K::jwe_epk_off_curve, 0, kResource, kNone, 0, 0, "an ephemeral key off the curve (EC keys)"},
    {"jwe-epk-p256", K::jwe_epk_p256, 0, kResource, kNone, 0, 0, "an ephemeral key of P-256 (P-521 for P-256)"},
    {"jwe-epk-short", K::jwe_epk_short, 0, kResource, kNone, 0, 0, "coordinates one octet short (EC keys)"},
    {"jwe-key-short", K::jwe_key_short, 0, kResource, kNone, 0, 0, "an encrypted key one octet short"},
    {"jwe-key-long", K::jwe_key_long, 0, kResource, kNone, 0, 0, "an encrypted key one octet long"},
    {"jwe-cek-16", K::jwe_cek_16, 0, kResource, kNone, 0, 0, "a content key of 16 octets (EC keys)"},
    {"jwe-iv-11", K::jwe_iv_11, 0, kResource, kNone, 0, 0, "an IV of 11 octets"},
    {"jwe-iv-16", K::jwe_iv_16, 0, kResource, kNone, 0, 0, "an IV of 16 octets"},
    {"jwe-aad", K::jwe_aad, 0, kResource, kNone, 0, 0, "sound under RFC 7516, with a member aad"},
    {"jwe-apu", K::jwe_apu, 0, kResource, kNone, 0, 0, "sound under RFC 7518, with apu in the header"},
    {"jwe-apv", K::jwe_apv, 0, kResource, kNone, 0, 0, "sound under RFC 7518, with apv in the header"},
    {"jwe-alg-rsa", K::jwe_alg_rsa, 0, kResource, kNone, 0, 0, "alg of RSA for an EC key, and the reverse"},
    {"jwe-other-key", K::jwe_other_key, 0, kResource, kNone, 0, 0, "the secret, sealed to a key that nobody has"},
    {"secret", K::secret, 0, kResource, kNeeded, 0, 2 * 1024 * 1024, "a secret of so many octets of the seed"},
    {"secret-other-guest", K::secret_other_guest, 0, kResource, kNone, 0, 0,
     "the secret that a guest of another session was given last, sealed to this one"},
};

}  // namespace

std::span<const FaultName> fault_names() {
  return kNames;
}

}  // namespace attestbed::kbs
