// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "proxy/kbs_messages.h"
#include "proxy/vector_cases.h"

namespace attestbed::proxy::kbs {
namespace {

using protocol::KeyType;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the vector does not hold " + from);
  return text.replace(at, from.size(), to);
}

struct Refusal {
  const char* name;
  std::string body;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.name;
}

struct JweChange {
  const char* name;
  std::string from, to;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const JweChange& change) {
  return out << change.name;
}

// A header text in base64url: the proxy needs only its epk.
std::string header(const std::string& json) {
  std::string text(base64_encoded_size(Base64::url, json.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::url, bytes_of(json), out);
  return text;
}
std::string header_with_epk(const std::string& epk) {
  return header(R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":)" + epk + "}");
}
const std::string kCoordinate(88, 'A');

class BadJwe : public testing::TestWithParam<JweChange> {};
INSTANTIATE_TEST_SUITE_P(
    KbsMessages, BadJwe,
    testing::Values(
        JweChange{"wrapped key of 39 octets", "6HIm6ZJWNdA_", "", Errc::bad_length},
        JweChange{"wrapped key of 43 octets", "6HIm6ZJW", "AAAA6HIm6ZJW", Errc::bad_length},
        JweChange{"IV of 9 octets", "RwvO0QNUXr-D5IP1", "RwvO0QNUXr-D", Errc::bad_length},
        JweChange{"IV of 16 octets", "RwvO0QNUXr-D5IP1", "RwvO0QNUXr-D5IP1AAAAAA", Errc::bad_length},
        JweChange{"tag of 13 octets", "dtnkVP4I_CgKFTDmMuz5cQ", "dtnkVP4I_CgKFTDmMg", Errc::bad_length},
        JweChange{"padded", "dtnkVP4I_CgKFTDmMuz5cQ", "dtnkVP4I_CgKFTDmMuz5cQ==", Errc::bad_base64},
        JweChange{"standard alphabet", "dtnkVP4I_CgKFTDmMuz5cQ", "dtnkVP4I/CgKFTDmMuz5cQ", Errc::bad_base64},
        JweChange{"no ciphertext", "\"ciphertext\"", "\"cyphertext\"", Errc::json_missing},
        JweChange{"no tag", "\"tag\"", "\"tog\"", Errc::json_missing},
        JweChange{"tag twice", "\"iv\":", "\"tag\":\"dtnkVP4I_CgKFTDmMuz5cQ\",\"iv\":", Errc::json_duplicate},
        JweChange{"shared aad", "{\"protected\"", "{\"aad\":\"AAAA\",\"protected\"", Errc::bad_value},
        JweChange{"null tag", "\"tag\":\"dtnkVP4I_CgKFTDmMuz5cQ\"", "\"tag\":null", Errc::json_type}));

TEST_P(BadJwe, IsRefused) {
  const auto sealed =
      parse_jwe(replaced(vector_case("plain").resource_response, GetParam().from, GetParam().to), KeyType::p521);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, GetParam().code) << error_name(sealed.error().code);
}

class BadHeader : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(
    KbsMessages, BadHeader,
    testing::Values(
        Refusal{"no JSON", "AAAA", Errc::bad_json},
        Refusal{"no epk, as with RSA", header(R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})"), Errc::json_missing},
        Refusal{"epk null", header_with_epk("null"), Errc::json_type},
        Refusal{"P-256", header_with_epk(R"({"crv":"P-256","kty":"EC","x":"AA","y":"AA"})"), Errc::bad_value},
        Refusal{"OKP", header_with_epk(R"({"crv":"P-521","kty":"OKP","x":"AA","y":"AA"})"), Errc::bad_value},
        Refusal{"no y", header_with_epk(R"({"crv":"P-521","kty":"EC","x":")" + kCoordinate + R"("})"),
                Errc::json_missing},
        Refusal{"short x", header_with_epk(R"({"crv":"P-521","kty":"EC","x":"AAAA","y":")" + kCoordinate + R"("})"),
                Errc::bad_length},
        Refusal{"above 1 KiB", header(R"({"pad":")" + std::string(1024, ' ') + R"("})"), Errc::too_large}));

TEST_P(BadHeader, IsRefused) {
  const auto& plain = vector_case("plain");
  const auto sealed =
      parse_jwe(replaced(plain.resource_response, plain.protected_header, GetParam().body), KeyType::p521);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, GetParam().code) << error_name(sealed.error().code);
}

// ---- Secrets sealed to the other types of keys.

struct Sealed {
  const char* name;
  KeyType key;
  std::string header;
  std::size_t wrapped;
  Errc refused_with;  // internal: accepted
};
std::ostream& operator<<(std::ostream& out, const Sealed& sealed) {
  return out << sealed.name;
}
constexpr Errc kAccepted = Errc::internal;
const std::string kRsaHeader = R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})";
std::string epk_header(const std::string& curve, std::size_t characters) {
  const std::string coordinate(characters, 'A');
  return R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":")" + curve + R"(","kty":"EC","x":")" + coordinate +
         R"(","y":")" + coordinate + R"("}})";
}

class SealedToAKey : public testing::TestWithParam<Sealed> {};
INSTANTIATE_TEST_SUITE_P(
    KbsMessages, SealedToAKey,
    testing::Values(
        Sealed{"P-256", KeyType::p256, epk_header("P-256", 43), 40, kAccepted},
        Sealed{"P-521", KeyType::p521, epk_header("P-521", 88), 40, kAccepted},
        Sealed{"RSA", KeyType::rsa3072, kRsaHeader, 384, kAccepted},
        Sealed{"another algorithm for RSA, which the guest judges", KeyType::rsa3072,
               R"({"enc":"A256GCM","alg":"RSA1_5"})", 384, kAccepted},
        Sealed{"P-521 for P-256", KeyType::p256, epk_header("P-521", 88), 40, Errc::bad_value},
        Sealed{"P-256 for P-521", KeyType::p521, epk_header("P-256", 43), 40, Errc::bad_value},
        Sealed{"P-256 with coordinates of P-521", KeyType::p256, epk_header("P-256", 88), 40, Errc::bad_length},
        Sealed{"wrapped as for RSA, for P-256", KeyType::p256, epk_header("P-256", 43), 384, Errc::bad_length},
        Sealed{"RSA for P-256", KeyType::p256, kRsaHeader, 384, Errc::json_missing},
        Sealed{"P-256 for RSA", KeyType::rsa3072, epk_header("P-256", 43), 40, Errc::bad_value},
        Sealed{"RSA with an epk", KeyType::rsa3072, epk_header("P-521", 88), 384, Errc::bad_value},
        Sealed{"RSA with epk null", KeyType::rsa3072, R"({"alg":"RSA-OAEP-256","enc":"A256GCM","epk":null})", 384,
               Errc::bad_value},
        Sealed{"wrapped as for EC, for RSA", KeyType::rsa3072, kRsaHeader, 40, Errc::bad_length},
        Sealed{"one octet less", KeyType::rsa3072, kRsaHeader, 383, Errc::bad_length},
        Sealed{"one octet more", KeyType::rsa3072, kRsaHeader, 385, Errc::bad_length},
        Sealed{"RSA of 4096 bits", KeyType::rsa3072, kRsaHeader, 512, Errc::bad_length}));

TEST_P(SealedToAKey, HasTheFormOfThatKeyAlone) {
  const auto& plain = vector_case("plain");
  const std::string wrapped(base64_encoded_size(Base64::url, GetParam().wrapped), 'A');
  std::string body = replaced(plain.resource_response, plain.protected_header, header(GetParam().header));
  body = replaced(body, "6HIm6ZJWNdA_G6tt59XpS9p7Hh3WUBcWKSTQ4z_hnNCUl9tO48q-AQ", wrapped);
  const auto sealed = parse_jwe(body, GetParam().key);
  if (GetParam().refused_with != kAccepted) {
    ASSERT_FALSE(sealed);
    EXPECT_STREQ(error_name(sealed.error().code), error_name(GetParam().refused_with)) << sealed.error().where;
    return;
  }
  ASSERT_TRUE(sealed) << error_name(sealed.error().code) << " at " << sealed.error().where;
  EXPECT_EQ(sealed->epk.has_value(), GetParam().key != KeyType::rsa3072);
  EXPECT_EQ(sealed->wrapped_cek.octets().size(), GetParam().wrapped);
  EXPECT_EQ(sealed->protected_header, header(GetParam().header));
}

TEST(KbsMessages, HeaderInAnotherOrderIsForwardedAsItCame) {
  const auto& plain = vector_case("plain");
  const std::string other = header(R"({ "enc":"A256GCM", "epk":{"y":")" + kCoordinate + R"(","x":")" + kCoordinate +
                                   R"(","kty":"EC","crv":"P-521"}, "alg":"ECDH-ES+A256KW" })");
  const auto sealed = parse_jwe(replaced(plain.resource_response, plain.protected_header, other), KeyType::p521);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->protected_header, other);
}

TEST(KbsMessages, CiphertextMayHave32KiBAndNoOctetMore) {
  const auto& plain = vector_case("plain");
  const auto with = [&](std::size_t octets) {
    std::string text(base64_encoded_size(Base64::url, octets), 'A');
    return parse_jwe(replaced(plain.resource_response, "RQMYEwFd0aRuUTF0S5F70LXB8ern3_0_2M8YbPYOpLI", text),
                     KeyType::p521);
  };
  const auto largest = with(32768);
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->ciphertext.size(), 32768U);
  const auto larger = with(32769);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().code, Errc::secret_too_large);
}

}  // namespace
}  // namespace attestbed::proxy::kbs
