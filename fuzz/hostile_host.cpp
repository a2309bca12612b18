// SPDX-License-Identifier: Apache-2.0
#include "fuzz/hostile_host.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/concat_kdf.h"
#include "fuzz/header_oracle.h"
#include "fuzz/must.h"
#include "fuzz/recorded_cases.h"

namespace attestbed::fuzz {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::uint8_t octet(Reader& operands) {
  const auto taken = operands.copy<ByteArray<1>>("operand");
  return taken ? (*taken)[0] : 0;
}

const RecordedCase& recorded(std::uint8_t n) {
  return recorded_cases()[n % recorded_cases().size()];
}

// The broker's ephemeral key; one for all runs, since nothing here depends on its being fresh.
const crypto::EcKey& broker_key() {
  static const crypto::EcKey& key = []() -> const crypto::EcKey& {
    static crypto::EcKey made;
    must(bool(made.set(crypto::Curve::p521, bytes_of(recorded(0).epk_scalar))), "the scalar is good");
    return made;
  }();
  return key;
}

std::string decoded(const json& text) {
  std::string octets = text;
  const MutBytes place(reinterpret_cast<std::uint8_t*>(octets.data()), octets.size());
  const Result<MutBytes> bytes = base64_decode(Base64::standard, place, place, "guest");
  must(bool(bytes), "the guest writes base64");
  octets.resize(bytes->size());
  return octets;
}

// The guest's own key if it has sent it, else somebody else's.
crypto::EcPoint key_of(const Octets& guest_wrote) {
  for (const std::string& body : frames_in(guest_wrote).bodies) {
    const json request = json::parse(body);
    if (!request.contains("key")) continue;
    const std::string x = decoded(request["key"].at("x")), y = decoded(request["key"].at("y"));
    return *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(x), bytes_of(y), "guest");
  }
  return broker_key().point();
}

ordered_json point(Base64 alphabet, const crypto::EcPoint& from) {
  return {{"x", base64_text(alphabet, from.x())}, {"y", base64_text(alphabet, from.y())}};
}

std::string right_header() {
  ordered_json epk = {{"crv", "P-521"}, {"kty", "EC"}};
  epk.update(point(Base64::url, broker_key().point()));
  return ordered_json{{"alg", "ECDH-ES+A256KW"}, {"enc", "A256GCM"}, {"epk", epk}}.dump();
}

std::string error_frame(std::uint8_t code, std::uint8_t detail) {
  const ErrorRows rows = error_rows();
  const ErrorRow& row = rows.first[code / 2U % rows.count];
  const bool first = code % 2 == 0;
  const json error = {{"code", row.name},
                      {"phase", first ? "negotiation" : "attestation"},
                      {"detail", std::string(std::size_t{2} * detail, 'd')}};
  if (first) return ordered_json{{"ext", {{"error", error}}}}.dump();
  return ordered_json{{"success", false}, {"decryption", nullptr}, {"token", nullptr}, {"ext", {{"error", error}}}}
      .dump();
}

}  // namespace

std::string HostileHost::frame(std::uint8_t which, Reader& operands, const Octets& guest_wrote) {
  switch (which % 6) {
    case 0:
      return negotiation(octet(operands));
    case 1:
      return recorded(octet(operands)).negotiation_response;
    case 2:
      return recorded(octet(operands)).attestation_response;
    case 3: {
      const std::size_t change = octet(operands), blocks = octet(operands);
      std::string header = right_header();
      if (change > 0) {
        const std::size_t at = octet(operands), drop = octet(operands);
        const Bytes octets = *operands.take(std::min(operands.left(), change), "header");
        header.replace(at % header.size(), drop, text_of(octets));
      }
      return sealed_answer(std::move(header), 16 * blocks, key_of(guest_wrote));
    }
    case 4: {
      const std::uint8_t code = octet(operands);
      return error_frame(code, octet(operands));
    }
    default:
      return R"({"success":false,"decryption":null,"token":null})";
  }
}

std::string HostileHost::negotiation(std::uint8_t n) const {
  const Octets challenge(n % 80U, n);
  ordered_json message = {{"challenge", base64_text(Base64::standard, challenge)},
                          {"params", {"EcPublicKeyBytes", "Challenge"}}};
  if (n >= 128) {
    message["ext"]["accepted"] = {{"binding", protocol::binding_name(accepted_.binding)},
                                  {"key", protocol::key_type_name(accepted_.key)},
                                  {"resource", accepted_.resource.text()}};
  }
  return message.dump();
}

std::string HostileHost::sealed_answer(std::string header, std::size_t size, const crypto::EcPoint& guest) {
  crypto::EcSharedSecret z;
  must(bool(crypto::ecdh(broker_key(), guest, z)), "the guest's key is a point");
  const auto kek = crypto::ecdh_es_a256kw_kek(z.expose());
  const Secret<32> cek;
  const auto wrapped = crypto::aes256_wrap(*kek, cek);
  const std::string aad = base64_text(Base64::url, bytes_of(header));
  const std::string secret(size, static_cast<char>('a' + sealed_.size() % 26));
  Octets text(secret.begin(), secret.end());
  const crypto::GcmIv iv{};
  const auto tag = crypto::aes256gcm_seal(cek, iv, bytes_of(aad), text, text);
  must(kek && wrapped && tag, "the broker can seal");
  sealed_.push_back({.guest = guest, .epk = broker_key().point(), .header = std::move(header), .secret = secret});
  return ordered_json{{"success", true},
                      {"secret", base64_text(Base64::standard, text)},
                      {"decryption",
                       {{"epk", point(Base64::standard, broker_key().point())},
                        {"wrapped_cek", base64_text(Base64::standard, *wrapped)},
                        {"aad", base64_text(Base64::standard, bytes_of(aad))},
                        {"iv", base64_text(Base64::standard, iv)},
                        {"tag", base64_text(Base64::standard, *tag)}}},
                      {"token", {{"Jwt", "a.b.c"}}}}
      .dump();
}

}  // namespace attestbed::fuzz
