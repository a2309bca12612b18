// SPDX-License-Identifier: Apache-2.0
#include "core/verify/crl.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "core/crypto/openssl/library.h"
#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using test::at;
using test::Octets;

constexpr long kAskSerial = 0x010001, kArkSerial = 0x010000;

// The CRL in AMD's form; each test changes one thing. OpenSSL makes it, so the parser is judged by another's encoder.
struct CrlSpec {
  std::string issuer = "ARK-Milan";
  EVP_PKEY* key = test::ark_key();
  std::vector<long> revoked = {};
  const char* this_update = "2025-01-01T00:00:00Z";
  const char* next_update = "2025-07-01T00:00:00Z";
  int salt = 48;
  bool critical_extension = false;
};

Octets crl_der(const CrlSpec& spec) {
  const openssl::X509CrlHandle crl(X509_CRL_new_ex(openssl::library_context(), nullptr));
  X509_CRL_set_version(crl.get(), 1);
  const openssl::X509NameHandle name(X509_NAME_new());
  for (const auto& [nid, value, type] : test::amd_name(spec.issuer)) {
    X509_NAME_add_entry_by_NID(name.get(), nid, type, reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  }
  X509_CRL_set_issuer_name(crl.get(), name.get());
  const openssl::Asn1Time time(ASN1_TIME_new());
  const auto set = [&time](const char* text) {
    ASN1_TIME_set(time.get(), static_cast<time_t>(at(text).time_since_epoch().count()));
    return time.get();
  };
  X509_CRL_set1_lastUpdate(crl.get(), set(spec.this_update));
  if (spec.next_update != nullptr) X509_CRL_set1_nextUpdate(crl.get(), set(spec.next_update));
  for (const long serial : spec.revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    const openssl::Asn1Integer number(ASN1_INTEGER_new());
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(entry, number.get());
    X509_REVOKED_set_revocationDate(entry, set(spec.this_update));
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  const openssl::Asn1Integer number(ASN1_INTEGER_new());
  ASN1_INTEGER_set(number.get(), 7);
  X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), spec.critical_extension ? 1 : 0, 0);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit_ex(context.get(), &key_context, "SHA384", openssl::library_context(), nullptr, spec.key, nullptr);
  EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, spec.salt);
  EXPECT_GT(X509_CRL_sign_ctx(crl.get(), context.get()), 0);
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_CRL(crl.get(), &encoded);
  const openssl::Octets owner(encoded);
  return Octets(encoded, encoded + length);
}

Octets with_serial(test::Spec spec, long serial) {
  // test_ca gives every certificate serial 0; a chain with AMD's serials is made by changing the one DER field, which
  // would break the signature: so it is signed anew.
  const Octets der = test::der_of(spec);
  const unsigned char* from = der.data();
  const openssl::X509Handle x509(d2i_X509(nullptr, &from, static_cast<long>(der.size())));
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), serial);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit_ex(context.get(), &key_context, "SHA384", openssl::library_context(), nullptr, spec.issuer_key,
                        nullptr);
  EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, 48);
  EXPECT_GT(X509_sign_ctx(x509.get(), context.get()), 0);
  unsigned char* encoded = nullptr;
  const int length = i2d_X509(x509.get(), &encoded);
  const openssl::Octets owner(encoded);
  return Octets(encoded, encoded + length);
}

Certificate certificate(const test::Spec& spec, long serial) {
  return Certificate::parse(with_serial(spec, serial), "made by the test")->front();
}

const Vek& vek() {
  static const Vek made = [] {
    const Certificate ark = certificate(test::ark_spec("Milan"), kArkSerial);
    const Certificate ask = certificate(test::ask_spec("Milan"), kAskSerial);
    const Certificate vcek = test::make(test::vcek_spec(snp::Product::milan));
    const std::vector<Certificate> others{ark, ask};
    return *verify_chain(vcek, others, *TrustedRoots::from_certificates(others), at("2025-02-01T00:00:00Z"));
  }();
  return made;
}

Crl crl(const CrlSpec& spec, const char* source = "made by the test") {
  const Checked<Crl> parsed = Crl::parse(crl_der(spec), source);
  EXPECT_TRUE(parsed) << parsed.error().text();
  return *parsed;
}

Errc refusal_of(const std::vector<Crl>& crls, const char* when = "2025-02-01T00:00:00Z") {
  const Checked<void> checked = check_revocation(vek(), crls, at(when));
  return checked ? Errc{} : checked.error().code;
}

TEST(Revocation, PassesAChainThatNoCrlLists) {
  Steps passed;
  const std::vector<Crl> crls{crl({.revoked = {0x010101, 0x020002, 0}})};
  EXPECT_TRUE(check_revocation(vek(), crls, at("2025-02-01T00:00:00Z"), &passed));
  ASSERT_EQ(passed.size(), 1U);
  EXPECT_EQ(passed[0].check, verification_checks().back().name);
  EXPECT_EQ(passed[0].found, "ARK-Milan's CRL of 2025-01-01T00:00:00Z lists neither SEV-Milan nor itself");
  EXPECT_EQ(crls[0].revoked(), 3U);
  EXPECT_EQ(crls[0].issuer(), "ARK-Milan");
}

struct Case {
  const char* name;
  CrlSpec spec;
  Errc expected;
};

TEST(Revocation, RefusesOneWrongThing) {
  const Case kCases[] = {
      {"AskListed", {.revoked = {5, kAskSerial}}, Errc::certificate_revoked},
      {"ArkListed", {.revoked = {kArkSerial}}, Errc::certificate_revoked},
      {"OtherIssuer", {.issuer = "ARK-Genoa"}, Errc::crl_missing},
      {"SignedByAsk", {.key = test::ask_key()}, Errc::crl_signature},
      {"ForeignKey", {.key = test::foreign_key()}, Errc::crl_signature},
      {"ShortSalt", {.salt = 32}, Errc::crl_signature},
      {"Past", {.next_update = "2025-01-31T23:59:59Z"}, Errc::crl_expired},
      {"Future", {.this_update = "2025-02-01T00:00:01Z"}, Errc::crl_expired},
  };
  for (const Case& wrong : kCases) {
    SCOPED_TRACE(wrong.name);
    EXPECT_EQ(refusal_of({crl(wrong.spec)}), wrong.expected);
    test::expect_declared(verification_checks().size() - 1, wrong.expected);
  }
  EXPECT_EQ(refusal_of({}), Errc::crl_missing);
}

TEST(Revocation, ABadCrlHidesNoGoodOne) {
  const Crl forged = crl({.key = test::foreign_key()});
  EXPECT_EQ(refusal_of({forged, crl({})}), Errc{});
  EXPECT_EQ(refusal_of({crl({}), crl({.revoked = {kAskSerial}})}), Errc::certificate_revoked);
  // A list that its signature does not carry revokes nothing, and clears nothing.
  EXPECT_EQ(refusal_of({crl({.key = test::foreign_key(), .revoked = {kAskSerial}}), crl({})}), Errc{});
}

TEST(Revocation, DatesCountInclusively) {
  EXPECT_EQ(refusal_of({crl({})}, "2025-07-01T00:00:00Z"), Errc{});
  EXPECT_EQ(refusal_of({crl({})}, "2025-07-01T00:00:01Z"), Errc::crl_expired);
  EXPECT_EQ(refusal_of({crl({})}, "2025-01-01T00:00:00Z"), Errc{});
}

TEST(Crl, RefusesWhatItCannotJudge) {
  EXPECT_EQ(Crl::parse(crl_der({.next_update = nullptr}), "x").error().code, Errc::crl_malformed);
  EXPECT_EQ(Crl::parse(crl_der({.critical_extension = true}), "x").error().code, Errc::crl_malformed);
  EXPECT_EQ(Crl::parse({}, "x").error().code, Errc::crl_malformed);
  EXPECT_EQ(Crl::parse(Octets(kMaxCrlBytes + 1, 0x30), "x").error().code, Errc::too_large);
  Octets longer = crl_der({});
  longer.push_back(0);
  EXPECT_EQ(Crl::parse(longer, "x").error().code, Errc::crl_malformed);
}

TEST(Crl, ReadsPemOfOneBlock) {
  const Octets der = crl_der({});
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio(bio.get(), "X509 CRL", "", der.data(), static_cast<long>(der.size()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  const std::string pem(text, static_cast<std::size_t>(size));
  EXPECT_TRUE(Crl::parse(bytes_of(pem), "x"));
  EXPECT_EQ(Crl::parse(bytes_of(pem + pem), "x").error().code, Errc::crl_malformed);
  EXPECT_EQ(Crl::parse(bytes_of(pem.substr(0, pem.size() / 2)), "x").error().code, Errc::crl_malformed);
}

TEST(Crl, RefusesEveryTruncationAndNoFlippedBitPasses) {
  const Octets good = crl_der({.revoked = {5}});
  for (std::size_t n = 0; n < good.size(); ++n) ASSERT_FALSE(Crl::parse(Bytes(good).first(n), "x")) << n;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Octets flipped = good;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    const Checked<Crl> parsed = Crl::parse(flipped, "x");
    if (!parsed) continue;
    ASSERT_NE(refusal_of({*parsed}), Errc{}) << "bit " << bit;
  }
}

}  // namespace
}  // namespace attestbed::verify
