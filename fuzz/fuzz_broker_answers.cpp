// SPDX-License-Identifier: Apache-2.0
// Property: what a proxy takes out of a broker's 200 bodies is what nlohmann reads there, within its documented bounds,
// and writes back to the same text; of an error body it takes letters alone. The first octet chooses the body's kind.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/protocol/frame.h"
#include "fuzz/header_oracle.h"
#include "fuzz/must.h"
#include "proxy/kbs_messages.h"

using namespace attestbed;
using namespace attestbed::proxy;
using fuzz::must;
using nlohmann::json;

namespace {

void check_challenge(std::string_view body) {
  const auto nonce = kbs::parse_challenge(body);
  if (!nonce) return;
  must(json::parse(body).at("nonce") == nonce->text, "the nonce is the broker's");
  must(fuzz::base64_text(Base64::standard, nonce->challenge.octets()) == nonce->text, "and canonical base64");
}

void check_token(std::string_view body) {
  const auto token = kbs::parse_token(body);
  if (!token) return;
  must(json::parse(body).at("token") == *token, "the token is the broker's");
  must(!token->empty() && token->size() <= kbs::kMaxTokenBytes, "of a bounded length");
  must(std::ranges::all_of(*token, [](char c) { return c > ' ' && c <= '~'; }), "and fit for a header field");
}

void check_jwe(std::string_view body, protocol::KeyType key) {
  const auto sealed = kbs::parse_jwe(body, key);
  if (!sealed) return;
  const json jwe = json::parse(body);
  const auto same = [&](const char* name, Bytes octets) {
    return jwe.at(name) == fuzz::base64_text(Base64::url, octets);
  };
  must(jwe.at("protected") == sealed->protected_header, "the header is forwarded verbatim");
  must(sealed->protected_header.size() <= protocol::kMaxAadBytes, "and bounded");
  must(same("encrypted_key", sealed->wrapped_cek.octets()) && same("iv", sealed->iv) && same("tag", sealed->tag) &&
           same("ciphertext", sealed->ciphertext),
       "the parts are the broker's");
  must(sealed->ciphertext.size() <= protocol::kMaxCiphertextBytes, "the ciphertext fits a frame");
  must(sealed->wrapped_cek.octets().size() == protocol::WrappedCek::length(key), "the content key fits the key");
  must(sealed->epk.has_value() == is_ec(key), "a point comes with EC and only with it");
  if (!sealed->epk) return;
  std::vector<std::uint8_t> header(base64_max_decoded_size(sealed->protected_header.size()));
  const auto text = base64_decode(Base64::url, bytes_of(sealed->protected_header), header, "protected");
  must(bool(text), "the header is base64url");
  const json epk = json::parse(*text).at("epk");
  must(epk.at("x") == fuzz::base64_text(Base64::url, sealed->epk->x()) &&
           epk.at("y") == fuzz::base64_text(Base64::url, sealed->epk->y()),
       "the point is the header's");
}

void check_problem(std::string_view body) {
  const std::string kind = kbs::problem_kind(body);
  must(kind.size() <= 40, "a problem's kind is short");
  must(std::ranges::all_of(kind, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }), "letters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body = text_of(Bytes(data, size).subspan(1));
  switch (data[0] % 4) {
    case 0:
      check_challenge(body);
      break;
    case 1:
      check_token(body);
      break;
    case 2:
      for (const auto key : {protocol::KeyType::p521, protocol::KeyType::p256, protocol::KeyType::rsa3072}) {
        check_jwe(body, key);
      }
      break;
    default:
      check_problem(body);
  }
  return 0;
}
