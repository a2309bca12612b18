// SPDX-License-Identifier: Apache-2.0
#include "tests/protocol_messages.h"

#include <algorithm>
#include <fstream>

#include "core/crypto/openssl/vectors.h"
#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"
#include "proxy/kbs_messages.h"

namespace attestbed::tests {
namespace {

using nlohmann::json;

const json& plain_case() {
  static const json vectors = json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
  return vectors.at("cases").at(0);
}

std::string recorded(const char* pointer) {
  return plain_case().at(json::json_pointer(pointer)).get<std::string>();
}

json good(const char* pointer) {
  return json::parse(recorded(pointer));
}

MutBytes octets_of(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

template <class T>
std::optional<Errc> code_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

json host_error() {
  return {{"code", "refused"}, {"phase", "negotiation"}, {"detail", "why"}};
}

protocol::Terms stated_terms() {
  protocol::Terms terms;
  terms.resource = *protocol::ResourcePath::parse("default/disk/key", "test");
  return terms;
}

std::string url_text(Bytes octets) {
  std::string text(base64_encoded_size(Base64::url, octets.size()), '\0');
  Writer out(octets_of(text));
  base64_encode(Base64::url, octets, out);
  return text;
}

// What the secret of the recorded case needs, except the header.
struct Sealed {
  crypto::EcKey key;
  protocol::Decryption decryption;
  crypto::Octets ciphertext;

  Sealed() : ciphertext(crypto::unhex(recorded("/ciphertext"))) {
    if (!key.set(crypto::Curve::p521, crypto::unhex(recorded("/guest_key/d")))) throw std::runtime_error("vector");
    decryption.epk = crypto::unhex_point(crypto::Curve::p521, recorded("/epk/x"), recorded("/epk/y"));
    decryption.wrapped_cek = crypto::unhex_array<40>(recorded("/wrapped_cek"));
    decryption.iv = crypto::unhex_array<12>(recorded("/iv"));
    decryption.tag = crypto::unhex_array<16>(recorded("/tag"));
  }
  std::optional<Errc> open(const std::string& protected_header) {
    decryption.aad = bytes_of(protected_header);
    return code_of(protocol::jwe_open(key, decryption, ciphertext));
  }
};

// A header that differs in its octets from the sealed one cannot verify; up to the tag it is judged all the same, and
// that is what a table of the header's members is about.
std::optional<Errc> refuse_header(std::string header) {
  const std::optional<Errc> code = Sealed().open(url_text(bytes_of(header)));
  return code == Errc::tag_failed ? std::nullopt : code;
}

// What a guest is told of a broker's body that cannot be read.
template <class T>
std::optional<Errc> wire_code_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return error_row(result.error().code).on_wire ? result.error().code : Errc::broker_malformed;
}

std::vector<MessageKind> make_kinds() {
  json request = good("/frames/negotiation_request/json");
  request["ext"] = {{"binding", "svsm-sha512"}, {"key", "P-521"}, {"resource", "default/disk/key"}};
  json response = good("/frames/negotiation_response/json");
  response["ext"]["accepted"] = request["ext"];
  json evidence = good("/frames/attestation_request/json");
  evidence["evidence"]["Snp"]["certs_buf"] = "AAAA";
  const json refusal = {{"success", false}, {"ext", {{"error", host_error()}}}};

  std::vector<MessageKind> kinds;
  kinds.push_back({"NegotiationRequest", "", {request}, [](std::string text) {
                     return code_of(protocol::decode_negotiation_request(octets_of(text)));
                   }});
  kinds.push_back({"NegotiationResponse", "", {response, {{"ext", {{"error", host_error()}}}}}, [](std::string text) {
                     const protocol::Terms stated = stated_terms();
                     return code_of(protocol::decode_negotiation_response(octets_of(text), &stated));
                   }});
  kinds.push_back({"AttestationRequest", "", {evidence}, [](std::string text) {
                     return code_of(protocol::decode_attestation_request(octets_of(text), protocol::KeyType::p521));
                   }});
  kinds.push_back(
      {"AttestationResponse", "", {good("/frames/attestation_response/json"), refusal}, [](std::string text) {
         return code_of(protocol::decode_attestation_response(octets_of(text), protocol::KeyType::p521));
       }});
  kinds.push_back({"header", "", {good("/protected_header_json")}, refuse_header});
  kinds.push_back({"broker body",
                   "challenge.",
                   {{{"nonce", recorded("/kbs_http/auth_response").substr(10, 24)}}},
                   [](const std::string& text) { return wire_code_of(proxy::kbs::parse_challenge(text)); }});
  kinds.push_back({"broker body", "token.", {good("/kbs_http/attest_response")}, [](const std::string& text) {
                     return wire_code_of(proxy::kbs::parse_token(text));
                   }});
  kinds.push_back({"broker body", "jwe.", {good("/kbs_http/resource_response")}, [](const std::string& text) {
                     return wire_code_of(proxy::kbs::parse_jwe(text, protocol::KeyType::p521));
                   }});
  return kinds;
}

}  // namespace

const std::vector<MessageKind>& message_kinds() {
  static const std::vector<MessageKind> kinds = make_kinds();
  return kinds;
}

std::string base64_text(Base64 alphabet, std::size_t size) {
  const std::vector<std::uint8_t> zeros(size);
  std::string text(base64_encoded_size(alphabet, size), '\0');
  Writer out(octets_of(text));
  base64_encode(alphabet, zeros, out);
  return text;
}

std::optional<Errc> opening_refusal(OpeningCase damage) {
  Sealed sealed;
  std::string header = recorded("/protected");
  if (damage == OpeningCase::epk_off_curve) {
    // The header names the same coordinates, so that nothing but the curve is left to object.
    crypto::Octets y = crypto::unhex(recorded("/epk/y"));
    y.back() ^= 1;
    json text = good("/protected_header_json");
    text["epk"]["y"] = url_text(y);
    header = url_text(bytes_of(text.dump()));
    sealed.decryption.epk = *crypto::EcPoint::make(crypto::Curve::p521, sealed.decryption.epk->x(), y, "test");
  }
  if (damage == OpeningCase::wrapped_cek_flipped) sealed.decryption.wrapped_cek.octets()[7] ^= 1;
  if (damage == OpeningCase::tag_flipped) sealed.decryption.tag[15] ^= 0x80;
  return sealed.open(header);
}

}  // namespace attestbed::tests
