// SPDX-License-Identifier: Apache-2.0
#include "core/verify/certificate.h"

#include <gtest/gtest.h>

#include <openssl/err.h>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using test::Octets;

Octets pem_of(const std::string& text) {
  return Octets(text.begin(), text.end());
}
std::string milan_pem() {
  return std::string(text_of(test::read_testdata("ca/ask_ark_milan.pem")));
}

TEST(Certificate, ReadsDer) {
  const auto parsed = Certificate::parse(test::read_testdata("certs/v5-genoa.vcek.der"), "genoa.der");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1u);
  const Certificate& vcek = parsed->front();
  EXPECT_EQ(vcek.kind(), Certificate::Kind::vcek);
  EXPECT_EQ(vcek.source(), "genoa.der");
  EXPECT_EQ(vcek.common_name(), "SEV-VCEK");
  EXPECT_EQ(vcek.issuer(), "OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices, CN=SEV-Genoa");
  EXPECT_EQ(time_text(vcek.not_before()), "2025-08-07T17:21:41Z");
  EXPECT_EQ(time_text(vcek.not_after()), "2032-08-07T17:21:41Z");
  const VekExtensions& amd = *vcek.vek_extensions();
  EXPECT_EQ(amd.product_name, "Genoa");
  EXPECT_EQ(amd.tcb, (snp::Tcb{.fmc = 0, .boot_loader = 10, .tee = 0, .snp = 0x19, .microcode = 0x54}));
  EXPECT_EQ(hex_text(amd.hardware_id).substr(0, 16), "d2421d976f95ce0b");
}

TEST(Certificate, ReadsEveryCertificateOfAPemText) {
  const auto parsed = Certificate::parse(pem_of("a comment\n" + milan_pem() + "\nanother\n"), "chain");
  ASSERT_TRUE(parsed) << parsed.error().text();
  ASSERT_EQ(parsed->size(), 2u);
  EXPECT_EQ(parsed->at(0).kind(), Certificate::Kind::ask);
  EXPECT_EQ(parsed->at(1).kind(), Certificate::Kind::ark);
}

TEST(Certificate, KnowsItsKindByName) {
  EXPECT_EQ(test::make(test::asvk_spec("Turin")).kind(), Certificate::Kind::asvk);
  EXPECT_EQ(test::make(test::vlek_spec(snp::Product::turin)).kind(), Certificate::Kind::vlek);
  test::Spec other = test::ark_spec("Milan");
  other.subject = test::amd_name("somebody");
  EXPECT_EQ(test::make(other).kind(), Certificate::Kind::other);
}

TEST(Certificate, RefusesEveryTruncation) {
  const Octets der = test::read_testdata("certs/v5-turin.vcek.der");
  for (std::size_t size = 0; size < der.size(); ++size) {
    const auto parsed = Certificate::parse(Bytes(der).first(size), "cut");
    ASSERT_FALSE(parsed) << size;
    ASSERT_EQ(parsed.error().code, Errc::certificate_malformed);
  }
}

TEST(Certificate, RefusesEveryFlippedBit) {
  // A certificate that parses with one bit changed has another TBS, another algorithm or another signature: no chain.
  const Octets der = test::read_testdata("certs/v5-genoa.vcek.der");
  const Time when = test::at("2025-10-01T00:00:00Z");
  ASSERT_TRUE(verify_chain(Certificate::parse(der, "good")->front(), {}, TrustedRoots::amd(), when));
  for (std::size_t bit = 0; bit < der.size() * 8; ++bit) {
    Octets changed = der;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    const auto parsed = Certificate::parse(changed, "changed");
    if (!parsed) continue;
    ASSERT_FALSE(verify_chain(parsed->front(), {}, TrustedRoots::amd(), when)) << bit;
  }
}

TEST(Certificate, RefusesEveryFlippedBitOfAnIntermediate) {
  const auto chain = Certificate::parse(pem_of(milan_pem()), "chain");
  const auto roots = TrustedRoots::from_certificates(std::vector{chain->at(1)});
  const auto vek = Certificate::parse(test::read_testdata("certs/v3-milan.vcek.der"), "VCEK");
  const Time when = test::at("2025-10-01T00:00:00Z");
  const Octets der = chain->at(0).der();
  for (std::size_t bit = 0; bit < der.size() * 8; ++bit) {
    if (bit % 3 != 0) continue;  // coprime to 8: every position in an octet
    Octets changed = der;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    const auto parsed = Certificate::parse(changed, "changed");
    if (!parsed) continue;
    const auto verified = verify_chain(vek->front(), *parsed, *roots, when);
    // AMD's own intermediate ships and fills in; the changed one is never the one that is used.
    ASSERT_TRUE(!verified || verified->intermediate() == chain->at(0)) << bit;
  }
}

TEST(Certificate, SurvivesEveryFlippedOctet) {
  const Octets der = test::read_testdata("certs/v5-turin.vcek.der");
  const Time when = test::at("2025-10-01T00:00:00Z");
  for (std::size_t octet = 0; octet < der.size(); ++octet) {
    Octets changed = der;
    changed[octet] ^= 0xff;
    const auto parsed = Certificate::parse(changed, "changed");
    if (!parsed) continue;
    ASSERT_FALSE(verify_chain(parsed->front(), {}, TrustedRoots::amd(), when)) << octet;
  }
}

TEST(Certificate, RefusesMalformedFiles) {
  const Octets der = test::read_testdata("certs/v5-turin.vcek.der");
  Octets trailing = der;
  trailing.push_back(0);
  Octets long_form = der;  // the outer length in a longer form: BER, not DER
  long_form.insert(long_form.begin() + 2, 0x00);
  long_form[1] = 0x83;
  const std::string chain = milan_pem();
  const std::string block = chain.substr(0, chain.find("-----END CERTIFICATE-----") + 26);
  std::string many;
  for (std::size_t i = 0; i <= kMaxCertificatesPerFile; ++i) many += block;
  std::string damaged = block;
  damaged[100] = '*';

  const struct {
    const char* name;
    Octets octets;
    Errc expected;
  } cases[] = {
      {"empty", {}, Errc::certificate_malformed},
      {"text", pem_of("hello"), Errc::certificate_malformed},
      {"trailing octet", trailing, Errc::certificate_malformed},
      {"BER length", long_form, Errc::certificate_malformed},
      {"DER too large", Octets(kMaxCertificateBytes + 1, 0x30), Errc::too_large},
      {"PEM too large", pem_of(block + std::string(kMaxPemBytes, '\n')), Errc::too_large},
      {"too many", pem_of(many), Errc::too_large},
      {"PEM cut", pem_of(chain.substr(0, chain.size() - 40)), Errc::certificate_malformed},
      {"PEM damaged", pem_of(damaged), Errc::certificate_malformed},
      {"PEM of a key", test::read_testdata("keys/ark.key.pem"), Errc::certificate_malformed},
      {"PEM without certificate", pem_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
       Errc::certificate_malformed},
  };
  for (const auto& [name, octets, expected] : cases) {
    SCOPED_TRACE(name);
    const auto parsed = Certificate::parse(octets, "file");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, expected) << parsed.error().text();
    EXPECT_EQ(parsed.error().field, "file");
  }
}

TEST(Certificate, LeavesNoErrorBehindInOpenssl) {
  ERR_clear_error();
  static_cast<void>(Certificate::parse(pem_of("hello"), "file"));
  static_cast<void>(Certificate::parse(pem_of(milan_pem()), "file"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Certificate, ShowsForeignNamesHarmlessly) {
  test::Spec spec = test::ark_spec("Milan");
  spec.subject = test::amd_name("ARK-\x1b[31m\n");
  const Certificate certificate = test::make(spec);
  EXPECT_EQ(certificate.common_name(), "ARK-\\x1b[31m\\x0a");
  EXPECT_EQ(certificate.subject().find('\x1b'), std::string::npos);
  EXPECT_EQ(certificate.subject().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace attestbed::verify
