// SPDX-License-Identifier: Apache-2.0
// Certificates are read without OpenSSL's decoders and their signatures checked without X509_verify: OpenSSL's own
// answers are the oracle here.
#include "core/verify/public_key.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/crypto/openssl/library.h"
#include "core/verify/certificate_impl.h"
#include "core/verify/test_ca.h"
#include "core/verify/x509_rules.h"

namespace attestbed::verify {
namespace {

using test::Octets;

openssl::X509Handle read(const Octets& der, OSSL_LIB_CTX* context) {
  X509* empty = X509_new_ex(context, nullptr);
  const unsigned char* at = der.data();
  return openssl::X509Handle(d2i_X509(&empty, &at, static_cast<long>(der.size())));
}

std::vector<Certificate> all_of_amd() {
  std::vector<Certificate> all = test::certificates_in("certs");
  for (const Certificate& ca : test::certificates_in("ca")) all.push_back(ca);
  return all;
}

TEST(PublicKey, IsTheOneThatOpensslDecodes) {
  for (const Certificate& certificate : all_of_amd()) {
    SCOPED_TRACE(certificate.source());
    const openssl::X509Handle decoded = read(certificate.der(), openssl::library_context());
    ASSERT_TRUE(decoded);
    ASSERT_NE(key_of(certificate), nullptr);
    EXPECT_EQ(EVP_PKEY_eq(key_of(certificate), X509_get0_pubkey(decoded.get())), 1);
  }
}

TEST(PublicKey, OpensslDecodesNoneItself) {
  const Certificate certificate = all_of_amd().front();
  EXPECT_EQ(X509_get0_pubkey(x509_of(certificate)), nullptr);
}

TEST(PublicKey, OfAnotherKindIsNone) {
  test::Spec spec = test::vcek_spec(snp::Product::milan);
  for (EVP_PKEY* key : {test::p256_key(), test::explicit_p384_key()}) {
    spec.key = key;
    EXPECT_EQ(key_of(test::make(spec)), nullptr);
  }
}

/// replaced changes the one place where `from` stands into `to`, of the same length.
Octets replaced(Octets der, const Octets& from, const Octets& to) {
  const auto found = std::search(der.begin(), der.end(), from.begin(), from.end());
  EXPECT_NE(found, der.end());
  EXPECT_EQ(from.size(), to.size());
  if (found != der.end()) std::ranges::copy(to, found);
  return der;
}

openssl::Key key_in(const Octets& der) {
  const openssl::X509Handle x509 = read(der, certificate_context());
  EXPECT_TRUE(x509);
  return x509 ? public_key(x509.get()) : nullptr;
}

struct Change {
  const char* name;
  Octets from, to;
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

class RsaKey : public testing::TestWithParam<Change> {};

TEST_P(RsaKey, InAnotherFormIsNone) {
  const Octets der = test::certificates_in("ca").front().der();
  ASSERT_TRUE(key_in(der));
  EXPECT_FALSE(key_in(replaced(der, GetParam().from, GetParam().to)));
}

// rsaEncryption, NULL; BIT STRING of RSAPublicKey with a modulus of 513 octets and the exponent 65537.
INSTANTIATE_TEST_SUITE_P(
    Forms, RsaKey,
    testing::Values(
        Change{"ParametersNotNull", {0x0d, 0x01, 0x01, 0x01, 0x05, 0x00}, {0x0d, 0x01, 0x01, 0x01, 0x04, 0x00}},
        Change{"ModulusNegative", {0x02, 0x82, 0x02, 0x01, 0x00}, {0x02, 0x82, 0x02, 0x01, 0x80}},
        Change{"ModulusNoInteger", {0x02, 0x82, 0x02, 0x01, 0x00}, {0x04, 0x82, 0x02, 0x01, 0x00}},
        Change{"ExponentShorterThanItsPlace", {0x02, 0x03, 0x01, 0x00, 0x01}, {0x02, 0x02, 0x01, 0x00, 0x01}},
        Change{"ExponentAndANull", {0x02, 0x03, 0x01, 0x00, 0x01}, {0x02, 0x01, 0x03, 0x05, 0x00}},
        Change{"SequenceShorterThanItsPlace", {0x30, 0x82, 0x02, 0x0a}, {0x30, 0x82, 0x02, 0x05}},
        Change{"NoSequence", {0x30, 0x82, 0x02, 0x0a}, {0x31, 0x82, 0x02, 0x0a}}),
    [](const auto& i) { return i.param.name; });

class P384Key : public testing::Test {
 protected:
  const Octets der_ = test::read_testdata("certs/v5-genoa.vcek.der");
  // secp384r1 as parameters, then a BIT STRING of 98 octets: no unused bits, and the point.
  const Octets before_point_{0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};

  Octets with_form(std::uint8_t form) {
    Octets from = before_point_, to = before_point_;
    from.push_back(0x04);
    to.push_back(form);
    return replaced(der_, from, to);
  }
};

TEST_F(P384Key, UncompressedIsOne) {
  EXPECT_TRUE(key_in(with_form(0x04)));
}

TEST_F(P384Key, InAnotherFormIsNone) {
  for (const int form : {0x00, 0x02, 0x03, 0x05, 0x06, 0x07}) {
    EXPECT_FALSE(key_in(with_form(static_cast<std::uint8_t>(form)))) << form;
  }
}

TEST_F(P384Key, OffTheCurveIsNone) {
  Octets der = der_;
  const auto found = std::search(der.begin(), der.end(), before_point_.begin(), before_point_.end());
  ASSERT_NE(found, der.end());
  *(found + std::ssize(before_point_) + 96) ^= 0x01;  // the last octet of y
  EXPECT_FALSE(key_in(der));
}

TEST(TbsOctets, AreWhatTheSignatureCovers) {
  for (const Certificate& certificate : all_of_amd()) {
    unsigned char* encoded = nullptr;
    const int length = i2d_re_X509_tbs(x509_of(certificate), &encoded);
    const openssl::Octets owner(encoded);
    ASSERT_GT(length, 0);
    EXPECT_TRUE(std::ranges::equal(tbs_octets(certificate.der()), Bytes(encoded, static_cast<std::size_t>(length))));
  }
}

TEST(TbsOctets, OfAnythingElseAreNone) {
  for (const Octets& octets : std::vector<Octets>{
           {}, {0x30}, {0x30, 0x00}, {0x30, 0x02, 0x05, 0x00}, {0x31, 0x02, 0x30, 0x00}, {0x30, 0x05, 0x30, 0x00}}) {
    EXPECT_TRUE(tbs_octets(octets).empty());
  }
}

class CertificateSignature : public testing::Test {
 protected:
  const std::vector<Certificate> veks_ = test::certificates_in("certs");

  /// issuer_of is the one that ships for `vek`, and signed it.
  static const Certificate* issuer_of(const Certificate& vek) {
    const auto found =
        std::ranges::find_if(amd_intermediates(), [&](const Certificate& issuer) { return is_signed_by(vek, issuer); });
    return found == amd_intermediates().end() ? nullptr : &*found;
  }
  static std::size_t signature_offset(const Certificate& vek) { return vek.der().size() - 512; }
};

TEST_F(CertificateSignature, IsJudgedAsX509VerifyDoes) {
  std::size_t accepted = 0;
  for (const Certificate& vek : veks_) {
    const openssl::X509Handle theirs = read(vek.der(), openssl::library_context());
    for (const Certificate& issuer : amd_intermediates()) {
      const bool verifies = X509_verify(theirs.get(), key_of(issuer)) == 1;
      EXPECT_EQ(is_signed_by(vek, issuer), verifies) << vek.source() << ", " << issuer.source();
      accepted += verifies;
    }
  }
  EXPECT_GE(accepted, 7U);
}

TEST_F(CertificateSignature, WithUnusedBitsIsNone) {
  // A signature that ends in a zero bit could lose it to the padding and stay the same octets.
  const auto even = std::ranges::find_if(
      veks_, [](const Certificate& vek) { return vek.der().back() % 2 == 0 && issuer_of(vek) != nullptr; });
  ASSERT_NE(even, veks_.end());
  Octets der = even->der();
  ASSERT_EQ(der[signature_offset(*even) - 1], 0x00);
  der[signature_offset(*even) - 1] = 0x01;
  const auto parsed = Certificate::parse(der, "unused bits");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_FALSE(is_signed_by(parsed->front(), *issuer_of(*even)));
}

TEST_F(CertificateSignature, UnderAnotherSpellingOfTheAlgorithmIsNone) {
  // The signature covers the algorithm inside; the one outside is replaced by AMD's other spelling.
  std::size_t tried = 0;
  for (const Certificate& vek : veks_) {
    const Certificate* const issuer = issuer_of(vek);
    if (issuer == nullptr) continue;
    const Bytes der = vek.der(), tbs = tbs_octets(der);
    const auto algorithm_from = static_cast<std::size_t>(tbs.data() - der.data()) + tbs.size();
    const std::size_t bits_from = signature_offset(vek) - 5;
    Octets algorithm(der.begin() + static_cast<std::ptrdiff_t>(algorithm_from),
                     der.begin() + static_cast<std::ptrdiff_t>(bits_from));
    const Octets trailer{0xa3, 0x03, 0x02, 0x01, 0x01};
    const bool stated = algorithm.size() == 72;
    if (stated) {
      algorithm.resize(algorithm.size() - trailer.size());
    } else {
      algorithm.insert(algorithm.end(), trailer.begin(), trailer.end());
    }
    const int change = stated ? -5 : 5;
    algorithm[1] = static_cast<std::uint8_t>(algorithm[1] + change);
    algorithm[14] = static_cast<std::uint8_t>(algorithm[14] + change);
    Octets other{0x30, 0x82, 0, 0};
    other.insert(other.end(), tbs.begin(), tbs.end());
    other.insert(other.end(), algorithm.begin(), algorithm.end());
    other.insert(other.end(), der.begin() + static_cast<std::ptrdiff_t>(bits_from), der.end());
    other[2] = static_cast<std::uint8_t>((other.size() - 4) >> 8);
    other[3] = static_cast<std::uint8_t>((other.size() - 4) & 0xff);
    const auto parsed = Certificate::parse(other, "spelled otherwise");
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_TRUE(check_signature_form(parsed->front()));
    EXPECT_FALSE(is_signed_by(parsed->front(), *issuer));
    ++tried;
  }
  EXPECT_GE(tried, 7U);
}

}  // namespace
}  // namespace attestbed::verify
