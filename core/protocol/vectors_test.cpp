// SPDX-License-Identifier: Apache-2.0
// Every case of core/testdata/aproxy-vectors.json, which four other implementations made and checked. A case whose
// name this file does not know fails: nothing in the file is skipped.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/crypto/concat_kdf.h"
#include "core/crypto/sha2.h"
#include "core/posix/describe.h"
#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

using nlohmann::json;

const json& vectors() {
  static const json parsed = json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
  return parsed;
}

std::string unhex(const json& hex) {
  std::string octets;
  EXPECT_TRUE(posix::from_hex(hex.get<std::string>(), octets));
  return octets;
}
MutBytes mut(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}
template <std::size_t N>
ByteArray<N> array_of(const std::string& octets) {
  ByteArray<N> array{};
  EXPECT_EQ(octets.size(), N);
  std::copy_n(octets.begin(), std::min(N, octets.size()), array.begin());
  return array;
}
crypto::EcPoint point_of(const json& key) {
  const std::string x = unhex(key["x"]), y = unhex(key["y"]);
  return *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(x), bytes_of(y), "vector");
}
std::string little_endian(std::uint64_t value) {
  std::string octets;
  for (int i = 0; i < 8; ++i) octets.push_back(static_cast<char>(value >> (8 * i)));
  return octets;
}
std::string sha256_hex(std::string_view text) {
  return posix::to_hex(*crypto::sha256({bytes_of(text)}));
}

// What is needed to open a vector's secret; owns what Decryption views.
struct Sealed {
  explicit Sealed(const json& v)
      : aad(unhex(v["aad"])),
        ciphertext(unhex(v["ciphertext"])),
        decryption{.epk = point_of(v["epk"]),
                   .wrapped_cek = array_of<40>(unhex(v["wrapped_cek"])),
                   .aad = {},
                   .iv = array_of<12>(unhex(v["iv"])),
                   .tag = array_of<16>(unhex(v["tag"]))} {
    decryption.aad = bytes_of(aad);
  }
  std::string aad, ciphertext;
  Decryption decryption;
};

void check_keys(const json& v) {
  crypto::EcKey guest;
  const std::string d = unhex(v["guest_key"]["d"]);
  ASSERT_TRUE(guest.set(crypto::Curve::p521, bytes_of(d)));
  EXPECT_EQ(guest.point(), point_of(v["guest_key"]));
  crypto::EcSharedSecret z;
  ASSERT_TRUE(crypto::ecdh(guest, point_of(v["epk"]), z));
  EXPECT_EQ(posix::to_hex(z.expose()), v["z"]);
  EXPECT_EQ("00000001" + posix::to_hex(z.expose()) + posix::to_hex(crypto::kEcdhEsOtherInfo), v["kdf_hash_input"]);
  EXPECT_EQ(posix::to_hex(crypto::kEcdhEsOtherInfo), vectors()["kdf"]["other_info"]);
  const auto kek = crypto::ecdh_es_a256kw_kek(z.expose());
  EXPECT_EQ(posix::to_hex(kek->expose()), v["kek"]);
  const auto cek = crypto::aes256_unwrap(*kek, array_of<40>(unhex(v["wrapped_cek"])));
  ASSERT_TRUE(cek);
  EXPECT_EQ(posix::to_hex(cek->expose()), v["cek"]);

  Sealed sealed(v);
  const auto secret = jwe_open(guest, sealed.decryption, mut(sealed.ciphertext));
  ASSERT_TRUE(secret) << posix::describe(secret.error());
  EXPECT_EQ(posix::to_hex(*secret), v["plaintext"]);
}

void check_negotiation(const json& v, bool stock_params) {
  ByteArray<512> buffer;
  const auto request = encode_negotiation_request({}, buffer);
  EXPECT_EQ(text_of(*request), v["frames"]["negotiation_request"]["json"]);
  EXPECT_EQ(posix::to_hex(bytes_of(little_endian(request->size()) + std::string(text_of(*request)))),
            v["frames"]["negotiation_request"]["frame"]);
  std::string request_text = v["frames"]["negotiation_request"]["json"];
  ASSERT_TRUE(decode_negotiation_request(mut(request_text)));

  std::string response_text = v["frames"]["negotiation_response"]["json"];
  const std::string original = response_text;
  const auto response = decode_negotiation_response(mut(response_text), nullptr);
  if (!stock_params) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::host_chosen_params);
    return;
  }
  ASSERT_TRUE(response);
  EXPECT_EQ(posix::to_hex(response->challenge->octets()), v["challenge"]);
  const auto again = encode_negotiation_response(*response, buffer);
  EXPECT_EQ(text_of(*again), original);
  EXPECT_EQ(posix::to_hex(bytes_of(little_endian(original.size()) + original)),
            v["frames"]["negotiation_response"]["frame"]);
  EXPECT_EQ(posix::to_hex(*bind_svsm_sha512(GuestPublicKey::of(point_of(v["guest_key"])), *response->challenge)),
            v["report_data"]);
}

void check_attestation(const json& v) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  const std::string report = unhex(v["report"]), challenge = unhex(v["challenge"]);
  const auto request = encode_attestation_request({.report = bytes_of(report),
                                                   .certs = {},
                                                   .challenge = bytes_of(challenge),
                                                   .key = GuestPublicKey::of(point_of(v["guest_key"]))},
                                                  buffer);
  const json& frame3 = v["frames"]["attestation_request"];
  EXPECT_EQ(text_of(*request), frame3["json"]);
  EXPECT_EQ(posix::to_hex(bytes_of(little_endian(request->size()))), frame3["len_prefix"]);
  EXPECT_EQ(sha256_hex(text_of(*request)), frame3["json_sha256"]);
  std::string request_text = frame3["json"];
  const auto decoded = decode_attestation_request(mut(request_text), KeyType::p521);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(text_of(decoded->report), report);
  EXPECT_EQ(text_of(decoded->challenge), challenge);
  EXPECT_EQ(decoded->key, GuestPublicKey::of(point_of(v["guest_key"])));

  const json& frame4 = v["frames"]["attestation_response"];
  Sealed sealed(v);
  const std::string token = v["token"];
  AttestationResponse response{.success = true,
                               .secret = mut(sealed.ciphertext),
                               .decryption = sealed.decryption,
                               .token = Token{"Jwt", token},
                               .error = {}};
  const auto text = encode_attestation_response(response, buffer);
  EXPECT_EQ(text_of(*text), frame4["json"]);
  EXPECT_EQ(posix::to_hex(bytes_of(little_endian(text->size()))), frame4["len_prefix"]);
  EXPECT_EQ(sha256_hex(text_of(*text)), frame4["json_sha256"]);

  std::string response_text = frame4["json"];
  const auto read = decode_attestation_response(mut(response_text), KeyType::p521);
  ASSERT_TRUE(read) << posix::describe(read.error());
  EXPECT_EQ(text_of(read->decryption->aad), v["protected"]);
  crypto::EcKey guest;
  const std::string d = unhex(v["guest_key"]["d"]);
  ASSERT_TRUE(guest.set(crypto::Curve::p521, bytes_of(d)));
  const auto secret = jwe_open(guest, *read->decryption, *read->secret);
  ASSERT_TRUE(secret);
  EXPECT_EQ(posix::to_hex(*secret), v["plaintext"]);
}

void check_preimage(const json& v) {
  const std::string preimage = unhex(v["report_data_preimage"]);
  EXPECT_EQ(posix::to_hex(*crypto::sha512({bytes_of(preimage)})), v["report_data"]);
  const std::string jcs = v["trustee_binding"]["jcs"];
  EXPECT_EQ(posix::to_hex(*crypto::sha384({bytes_of(jcs)})), v["trustee_binding"]["sha384"]);
}

// true: the case's params are the ones that this guest hashes.
const std::map<std::string, bool> kCases = {{"plain", true},
                                            {"leading-zeros-coords", true},
                                            {"leading-zeros-z", true},
                                            {"reverse-params", false},
                                            {"empty-secret", true}};

std::size_t run_cases() {
  std::size_t ran = 0;
  for (const json& v : vectors()["cases"]) {
    const std::string name = v["name"];
    SCOPED_TRACE(name);
    const auto known = kCases.find(name);
    if (known == kCases.end()) {
      ADD_FAILURE() << "unknown case";
      continue;
    }
    check_keys(v);
    check_negotiation(v, known->second);
    check_attestation(v);
    check_preimage(v);
    ++ran;
  }
  return ran;
}

const json& case_named(const std::string& name) {
  for (const json& v : vectors()["cases"]) {
    if (v["name"] == name) return v;
  }
  throw std::runtime_error("no case " + name);
}

// What the guest says when it decodes the whole frame, and what jwe_open says when header and point agree.
const std::map<std::string, Errc> kNegative = {
    {"tag-bit-flip", Errc::tag_failed},
    {"ciphertext-bit-flip", Errc::tag_failed},
    {"aad-reordered-header", Errc::tag_failed},
    {"wrapped-cek-bit-flip", Errc::unwrap_failed},
    {"wrapped-cek-short", Errc::bad_length},
    {"wrapped-cek-16-byte-key", Errc::bad_length},
    {"iv-11", Errc::bad_length},
    {"tag-15", Errc::bad_length},
    {"epk-off-curve", Errc::bad_point},
    {"epk-x-ge-p", Errc::bad_point},
};

std::string base64(Base64 alphabet, std::string_view octets) {
  std::vector<std::uint8_t> buffer(octets.size() * 2 + 4);
  Writer out(buffer);
  base64_encode(alphabet, bytes_of(octets), out);
  return std::string(text_of(*out.finish("test")));
}

// The base case's response as a hostile proxy would send it: `set` replaced, and for a replaced point the header too,
// so that the point itself is what must be refused.
std::string forged_response(const json& base, const json& set) {
  json v = base;
  json epk = v["epk"];
  for (const auto& [field, value] : set.items()) {
    if (field == "epk_x")
      epk["x"] = value;
    else if (field == "epk_y")
      epk["y"] = value;
    else
      v[field] = value;
  }
  std::string aad = unhex(v["aad"]);
  if (epk != v["epk"]) {
    json header = json::parse(v["protected_header_json"].get<std::string>());
    header["epk"]["x"] = base64(Base64::url, unhex(epk["x"]));
    header["epk"]["y"] = base64(Base64::url, unhex(epk["y"]));
    aad = base64(Base64::url, header.dump());
  }
  const auto field = [&](const char* name) { return base64(Base64::standard, unhex(v[name])); };
  return json{
      {"success", true},
      {"secret", field("ciphertext")},
      {"decryption",
       {{"epk", {{"x", base64(Base64::standard, unhex(epk["x"]))}, {"y", base64(Base64::standard, unhex(epk["y"]))}}},
        {"wrapped_cek", field("wrapped_cek")},
        {"aad", base64(Base64::standard, aad)},
        {"iv", field("iv")},
        {"tag", field("tag")}}},
      {"token", nullptr}}
      .dump();
}

std::size_t run_negative() {
  std::size_t ran = 0;
  for (const json& negative : vectors()["negative_decrypt"]) {
    const std::string name = negative["name"];
    SCOPED_TRACE(name);
    const auto known = kNegative.find(name);
    if (known == kNegative.end()) {
      ADD_FAILURE() << "unknown case";
      continue;
    }
    const json& base = case_named(negative["base"]);
    crypto::EcKey guest;
    const std::string d = unhex(base["guest_key"]["d"]);
    EXPECT_TRUE(guest.set(crypto::Curve::p521, bytes_of(d)));
    std::string text = forged_response(base, negative["set"]);
    const auto response = decode_attestation_response(mut(text), KeyType::p521);
    const Errc code = response ? [&] {
      const auto opened = jwe_open(guest, *response->decryption, *response->secret);
      EXPECT_FALSE(opened);
      return opened ? Errc::internal : opened.error().code;
    }() : response.error().code;
    EXPECT_STREQ(error_name(code), error_name(known->second));
    ++ran;
  }
  return ran;
}

enum class Message { negotiation_request, negotiation_response, attestation_request, attestation_response };
struct Parse {
  Message message;
  Errc refused_with;  // Errc{} = accepted
};
// Where the table of the vectors says that a stock decoder accepts and this one does not, we are stricter on purpose:
// request-certs-present has a two-octet report, resp-empty-params a challenge and params of the host's choice.
const std::map<std::string, Parse> kParsing = {
    {"failure-response", {Message::attestation_response, Errc{}}},
    {"response-secret-null", {Message::attestation_response, Errc::json_type}},
    {"response-minimal", {Message::attestation_response, Errc{}}},
    {"request-certs-null", {Message::attestation_request, Errc::json_type}},
    {"request-certs-present", {Message::attestation_request, Errc::bad_length}},
    {"neg-unknown-field", {Message::negotiation_request, Errc{}}},
    {"neg-version-string", {Message::negotiation_request, Errc::json_type}},
    {"neg-version-2-elements", {Message::negotiation_request, Errc::bad_length}},
    {"neg-tee-uppercase", {Message::negotiation_request, Errc::bad_value}},
    {"neg-dup-field", {Message::negotiation_request, Errc::json_duplicate}},
    {"neg-trailing-bytes", {Message::negotiation_request, Errc::trailing_bytes}},
    {"resp-unknown-param", {Message::negotiation_response, Errc::host_chosen_params}},
    {"resp-urlsafe-challenge", {Message::negotiation_response, Errc::bad_base64}},
    {"resp-unpadded-challenge", {Message::negotiation_response, Errc::bad_base64}},
    {"resp-empty-params", {Message::negotiation_response, Errc::host_chosen_params}},
};

Errc code_of(Message message, std::string text) {
  const auto code = [](const auto& result) { return result ? Errc{} : result.error().code; };
  switch (message) {
    case Message::negotiation_request:
      return code(decode_negotiation_request(mut(text)));
    case Message::negotiation_response:
      return code(decode_negotiation_response(mut(text), nullptr));
    case Message::attestation_request:
      return code(decode_attestation_request(mut(text), KeyType::p521));
    case Message::attestation_response:
      return code(decode_attestation_response(mut(text), KeyType::p521));
  }
  return Errc::internal;
}

std::size_t run_parsing() {
  std::size_t ran = 0;
  for (const json& parsing : vectors()["frame_parsing"]) {
    const std::string name = parsing["name"];
    SCOPED_TRACE(name);
    const auto known = kParsing.find(name);
    if (known == kParsing.end()) {
      ADD_FAILURE() << "unknown case";
      continue;
    }
    const Errc code = code_of(known->second.message, parsing["json"]);
    EXPECT_EQ(static_cast<int>(code), static_cast<int>(known->second.refused_with));
    ++ran;
  }
  return ran;
}

// W1: the host sends params ["Challenge"] and its own key as the challenge; the genuine report would bind the host's
// key.
std::size_t run_host_key_substitution() {
  const json& attack = vectors()["host_key_substitution"];
  // The attack works against a guest that hashes what it is told: the report data would be the attacker's.
  const std::string preimage =
      unhex(attack["attacker_key"]["x"]) + unhex(attack["attacker_key"]["y"]) + unhex(attack["kbs_nonce"]);
  EXPECT_EQ(posix::to_hex(*crypto::sha512({bytes_of(preimage)})), attack["guest_report_data"]);
  EXPECT_EQ(attack["guest_report_data"], attack["kbs_expected_report_data_for_attacker_key"]);

  const std::string response = attack["negotiation_response_sent_to_guest"];
  EXPECT_EQ(code_of(Message::negotiation_response, response), Errc::host_chosen_params);
  // With honest params the same challenge is refused for its length: each half of the attack has its own code.
  json half = json::parse(response);
  half["params"] = {"EcPublicKeyBytes", "Challenge"};
  EXPECT_EQ(code_of(Message::negotiation_response, half.dump()), Errc::host_chosen_challenge);
  return 1;
}

TEST(Vectors, PositiveCases) {
  run_cases();
}
TEST(Vectors, NegativeDecrypt) {
  run_negative();
}
TEST(Vectors, FrameParsing) {
  run_parsing();
}
TEST(Vectors, HostKeySubstitution) {
  run_host_key_substitution();
}

TEST(Vectors, NoCaseOfTheFileIsLeftOut) {
  const json& v = vectors();
  EXPECT_EQ(run_cases(), v["cases"].size());
  EXPECT_EQ(run_negative(), v["negative_decrypt"].size());
  EXPECT_EQ(run_parsing(), v["frame_parsing"].size());
  EXPECT_EQ(run_host_key_substitution(), 1U);
  EXPECT_EQ(v["cases"].size() + v["negative_decrypt"].size() + v["frame_parsing"].size(), 30U) << "the file lost cases";
  EXPECT_EQ(posix::to_hex(*crypto::sha512({})), v["empty_params_report_data"]);
}

}  // namespace
}  // namespace attestbed::protocol
