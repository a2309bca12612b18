// SPDX-License-Identifier: Apache-2.0
#include "core/verify/vek.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using test::amd_name;
using test::at;
using test::make;
using test::Spec;

const char kWhen[] = "2025-10-01T00:00:00Z";

struct Chain {
  Spec ark = test::ark_spec("Milan");
  Spec ask = test::ask_spec("Milan");
  Spec vek = test::vcek_spec(snp::Product::milan);
  const char* when = kWhen;

  Checked<Vek> verify(Steps* passed = nullptr) const {
    const auto roots = TrustedRoots::from_certificates(std::vector{make(ark)});
    if (!roots) return roots.error();
    return verify_chain(make(vek), std::vector{make(ask)}, *roots, at(when), passed);
  }
};

TEST(Chain, OfEveryProductAndKindVerifies) {
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    Chain vcek{.ark = test::ark_spec(product_name(product)),
               .ask = test::ask_spec(product_name(product)),
               .vek = test::vcek_spec(product)};
    const auto verified = vcek.verify();
    ASSERT_TRUE(verified) << verified.error().text();
    EXPECT_EQ(verified->product(), product);
    EXPECT_EQ(verified->tcb(), test::tcb_for(product));
    EXPECT_EQ(verified->hardware_id().size(), product == snp::Product::turin ? 8u : 64u);

    Chain vlek{.ark = vcek.ark, .ask = test::asvk_spec(product_name(product)), .vek = test::vlek_spec(product)};
    const auto loaded = vlek.verify();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_TRUE(loaded->hardware_id().empty());
  }
}

struct Break {
  const char* name;
  std::function<void(Chain&)> change;
  Errc expected;
  const char* field;
};

const std::string kBasicConstraints = "2.5.29.19", kKeyUsage = "2.5.29.15", kCrlPoints = "2.5.29.31";

// Each row changes one thing of a good chain.
const Break kBreaks[] = {
    {"VekSubjectIsNoVek", [](Chain& c) { c.vek.subject = amd_name("SEV-Milan"); }, Errc::vek_name, "subject.CN"},
    {"VekSubjectOtherOrganisation", [](Chain& c) { c.vek.subject[4].value = "Advanced Micro Device"; }, Errc::vek_name,
     "subject.O"},
    {"VekSubjectSecondCommonName",
     [](Chain& c) {
       c.vek.subject.push_back({NID_commonName, "SEV-VCEK"});
     },
     Errc::vek_name, "subject.CN"},
    {"VekSubjectExtraAttribute",
     [](Chain& c) {
       c.vek.subject.push_back({NID_title, "x"});
     },
     Errc::vek_name, "subject"},
    {"VekSubjectMissingUnit", [](Chain& c) { c.vek.subject.erase(c.vek.subject.begin()); }, Errc::vek_name,
     "subject.OU"},
    {"VekSubjectCommonNameWithNul", [](Chain& c) { c.vek.subject[5].value = std::string("SEV-VCEK\0", 9); },
     Errc::vek_name, "subject.CN"},
    {"VekSubjectOtherStringType", [](Chain& c) { c.vek.subject[0].type = V_ASN1_T61STRING; }, Errc::vek_name,
     "subject.OU"},
    {"VekIssuerUnknownProduct", [](Chain& c) { c.vek.issuer = amd_name("SEV-Naples"); }, Errc::vek_name, "issuer.CN"},
    {"VcekIssuedByAsvk", [](Chain& c) { c.vek.issuer = amd_name("SEV-VLEK-Milan"); }, Errc::vek_name, "issuer.CN"},
    {"VekIssuerOtherCountry", [](Chain& c) { c.vek.issuer[1].value = "DE"; }, Errc::vek_name, "issuer.C"},
    {"AskOfAnotherProduct", [](Chain& c) { c.ask = test::ask_spec("Genoa"); }, Errc::certificate_missing, "SEV-Milan"},
    {"AskSignedByForeignRoot", [](Chain& c) { c.ask.issuer_key = test::foreign_key(); }, Errc::root_untrusted,
     "ARK-Milan"},
    {"AskIssuerIsAnotherRoot", [](Chain& c) { c.ask.issuer = amd_name("ARK-Genoa"); }, Errc::root_untrusted,
     "ARK-Milan"},
    {"AskSignedWithPkcs1", [](Chain& c) { c.ask.algorithm = test::Algorithm::pkcs1; }, Errc::root_untrusted,
     "ARK-Milan"},
    {"VekSignedByForeignKey", [](Chain& c) { c.vek.issuer_key = test::foreign_key(); }, Errc::chain_signature, "VCEK"},
    {"VekSignedByTheRootItself", [](Chain& c) { c.vek.issuer_key = test::ark_key(); }, Errc::chain_signature, "VCEK"},
    {"VekSignedWithPkcs1", [](Chain& c) { c.vek.algorithm = test::Algorithm::pkcs1; }, Errc::chain_signature,
     "signatureAlgorithm"},
    {"VekSignedWithSalt32", [](Chain& c) { c.vek.algorithm = test::Algorithm::pss_salt_32; }, Errc::chain_signature,
     "signatureAlgorithm"},
    {"VekSignedWithSha256", [](Chain& c) { c.vek.algorithm = test::Algorithm::pss_sha256; }, Errc::chain_signature,
     "signatureAlgorithm"},
    {"AskIsNoCa",
     [](Chain& c) {
       c.ask.extension(kBasicConstraints).octets = {0x30, 0x00};
     },
     Errc::chain_constraint, "basicConstraints"},
    {"AskWithoutBasicConstraints", [](Chain& c) { c.ask.drop(kBasicConstraints); }, Errc::chain_constraint,
     "basicConstraints"},
    {"AskBasicConstraintsNotCritical", [](Chain& c) { c.ask.extension(kBasicConstraints).critical = false; },
     Errc::chain_constraint, "basicConstraints"},
    {"AskBasicConstraintsTwice", [](Chain& c) { c.ask.extensions.push_back(c.ask.extension(kBasicConstraints)); },
     Errc::chain_constraint, "basicConstraints"},
    {"ArkPathLengthTooShort",
     [](Chain& c) { c.ark.extension(kBasicConstraints).octets = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00}; },
     Errc::chain_constraint, "basicConstraints.pathlen"},
    {"AskKeyUsageWithoutCertSign",
     [](Chain& c) {
       c.ask.extension(kKeyUsage).octets = {0x03, 0x02, 0x07, 0x80};
     },
     Errc::chain_constraint, "keyUsage"},
    {"AskWithoutKeyUsage", [](Chain& c) { c.ask.drop(kKeyUsage); }, Errc::chain_constraint, "keyUsage"},
    {"AskKeyUsageNotCritical", [](Chain& c) { c.ask.extension(kKeyUsage).critical = false; }, Errc::chain_constraint,
     "keyUsage"},
    {"ArkKeyUsageWithoutCrlSign",
     [](Chain& c) {
       c.ark.extension(kKeyUsage).octets = {0x03, 0x02, 0x02, 0x04};
     },
     Errc::chain_constraint, "keyUsage"},
    {"AskWithoutCrlPoint", [](Chain& c) { c.ask.drop(kCrlPoints); }, Errc::chain_constraint, "cRLDistributionPoints"},
    {"AskCrlPointTwice", [](Chain& c) { c.ask.extensions.push_back(c.ask.extension(kCrlPoints)); },
     Errc::chain_constraint, "cRLDistributionPoints"},
    {"AskCrlOfAnotherProduct",
     [](Chain& c) {
       c.ask.extension(kCrlPoints).octets = test::crl_points({"https://kdsintf.amd.com/vcek/v1/Genoa/crl"});
     },
     Errc::chain_constraint, "cRLDistributionPoints"},
    {"AskCrlOfVleks",
     [](Chain& c) {
       c.ask.extension(kCrlPoints).octets = test::crl_points({"https://kdsintf.amd.com/vlek/v1/Milan/crl"});
     },
     Errc::chain_constraint, "cRLDistributionPoints"},
    {"ArkSecondCrl",
     [](Chain& c) {
       c.ark.extension(kCrlPoints).octets =
           test::crl_points({"https://kdsintf.amd.com/vcek/v1/Milan/crl", "https://elsewhere.example/crl"});
     },
     Errc::chain_constraint, "cRLDistributionPoints"},
    {"AskUnknownCriticalExtension",
     [](Chain& c) {
       c.ask.extensions.push_back({"1.2.3.4", {0x05, 0x00}, true});
     },
     Errc::chain_constraint, "extensions"},
    {"AskSubjectOtherCity", [](Chain& c) { c.ask.subject[2].value = c.vek.issuer[2].value = "Santa Klara"; },
     Errc::vek_name, "issuer.L"},
    {"ArkSubjectOtherCity",
     [](Chain& c) { c.ark.subject[2].value = c.ark.issuer[2].value = c.ask.issuer[2].value = "Santa Klara"; },
     Errc::chain_constraint, "subject.L"},
    {"VekKeyOnP256", [](Chain& c) { c.vek.key = test::p256_key(); }, Errc::chain_constraint, "subjectPublicKey"},
    {"VekKeyWithExplicitCurve", [](Chain& c) { c.vek.key = test::explicit_p384_key(); }, Errc::chain_constraint,
     "subjectPublicKey"},
    {"VekKeyIsRsa", [](Chain& c) { c.vek.key = test::foreign_key(); }, Errc::chain_constraint, "subjectPublicKey"},
    {"VekExpired", [](Chain& c) { c.vek.not_after = "2025-09-30T23:59:59Z"; }, Errc::chain_expired, "VCEK"},
    {"AskExpired", [](Chain& c) { c.ask.not_after = "2025-09-30T23:59:59Z"; }, Errc::chain_expired, "ASK"},
    {"ArkExpired", [](Chain& c) { c.ark.not_after = "2025-09-30T23:59:59Z"; }, Errc::chain_expired, "ARK"},
    {"VekNotYetValid", [](Chain& c) { c.vek.not_before = "2025-10-01T00:00:01Z"; }, Errc::chain_not_yet_valid, "VCEK"},
    {"AskNotYetValid", [](Chain& c) { c.ask.not_before = "2025-10-01T00:00:01Z"; }, Errc::chain_not_yet_valid, "ASK"},
    {"ArkNotYetValid", [](Chain& c) { c.ark.not_before = "2025-10-01T00:00:01Z"; }, Errc::chain_not_yet_valid, "ARK"},
    {"ProductNameOfAnotherProduct",
     [](Chain& c) { c.vek.extension(test::amd_oid("2")).octets = {0x16, 5, 'G', 'e', 'n', 'o', 'a'}; },
     Errc::vek_extension, "VEK.productName"},
    {"VekExtensionsMalformed", [](Chain& c) { c.vek.drop(test::amd_oid("3.8")); }, Errc::vek_extension, "VEK.ucodeSPL"},
};

TEST(Chain, RefusesOneWrongThing) {
  for (const Break& each : kBreaks) {
    SCOPED_TRACE(each.name);
    Chain chain;
    each.change(chain);
    Steps passed;
    const auto verified = chain.verify(&passed);
    ASSERT_FALSE(verified);
    test::expect_declared(2 + passed.size(), verified.error().code);
    EXPECT_STREQ(error_name(verified.error().code), error_name(each.expected)) << verified.error().text();
    EXPECT_NE(verified.error().field.find(each.field), std::string::npos) << verified.error().text();
    EXPECT_FALSE(verified.error().expected.empty());
    EXPECT_FALSE(verified.error().found.empty());
  }
}

TEST(Chain, RefusesSmallRsaKeysOfCas) {
  Chain chain;
  chain.ask.key = chain.vek.issuer_key = test::rsa_2048_key();
  const auto verified = chain.verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::chain_signature) << "a key of another size is never used to verify";
}

TEST(Chain, DemandsTheIntermediate) {
  const Chain chain;
  const auto roots = TrustedRoots::from_certificates(std::vector{make(chain.ark)});
  const std::vector<Certificate> others{make(chain.ark), make(test::ask_spec("Genoa"))};
  const auto verified = verify_chain(make(chain.vek), others, *roots, at(kWhen));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::certificate_missing);
  EXPECT_EQ(verified.error().field, "SEV-Milan");
}

TEST(Chain, UnderTheRootOfAnotherProductIsUntrustedWithOrWithoutItsIntermediate) {
  const Chain chain;
  const auto roots = TrustedRoots::from_certificates(std::vector{make(test::ark_spec("Genoa"))});
  for (const std::vector<Certificate>& others : {std::vector<Certificate>{}, std::vector{make(chain.ask)}}) {
    const auto verified = verify_chain(make(chain.vek), others, *roots, at(kWhen));
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, Errc::root_untrusted) << verified.error().text();
  }
}

TEST(Chain, NeverTrustsARootThatComesWithTheEvidence) {
  const Chain chain;
  const std::vector<Certificate> evidence{make(chain.ark), make(chain.ask)};
  const auto verified = verify_chain(make(chain.vek), evidence, TrustedRoots::amd(), at(kWhen));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::root_untrusted) << verified.error().text();
}

TEST(Chain, TakesARootByItsOctetsNotByItsName) {
  Chain chain;
  const auto roots = TrustedRoots::from_certificates(std::vector{make(chain.ark)});
  chain.ark.key = chain.ark.issuer_key = chain.ask.issuer_key = test::foreign_key();
  const std::vector<Certificate> evidence{make(chain.ark), make(chain.ask)};
  const auto verified = verify_chain(make(chain.vek), evidence, *roots, at(kWhen));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::root_untrusted);
}

TEST(Chain, FindsTheRightIssuerAmongFalseOnesOfItsName) {
  const Chain chain;
  Spec false_ask = chain.ask;
  false_ask.key = false_ask.issuer_key = test::foreign_key();
  const std::vector<Certificate> evidence{make(false_ask), make(test::ask_spec("Genoa")), make(chain.ark),
                                          make(chain.ask)};
  const auto roots = TrustedRoots::from_certificates(std::vector{make(chain.ark)});
  const auto verified = verify_chain(make(chain.vek), evidence, *roots, at(kWhen));
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_EQ(verified->intermediate(), evidence.back());
}

TEST(Chain, ReportsWhatItSaw) {
  const Chain chain;
  const auto roots = TrustedRoots::from_certificates(std::vector{make(chain.ark)});
  Steps steps;
  const auto verified = verify_chain(make(chain.vek), std::vector{make(chain.ask)}, *roots, at(kWhen), &steps);
  ASSERT_TRUE(verified);
  std::vector<std::string> names;
  for (const Step& step : steps) names.push_back(step.check);
  EXPECT_EQ(names, (std::vector<std::string>{"names", "chain", "constraints", "dates", "extensions"}));
  EXPECT_EQ(verified->chain_valid_until(), at("2034-01-01T00:00:00Z"));
}

TEST(TrustedRoots, AreSelfSignedArksAndNothingElse) {
  const Chain chain;
  const auto none = TrustedRoots::from_certificates(std::vector{make(chain.ask), make(chain.vek)});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::root_untrusted);
  EXPECT_FALSE(TrustedRoots::from_certificates({}));
  Spec not_self_signed = chain.ark;
  not_self_signed.issuer_key = test::foreign_key();
  EXPECT_FALSE(TrustedRoots::from_certificates(std::vector{make(not_self_signed)}));
  const auto one = TrustedRoots::from_certificates(std::vector{make(chain.ark), make(chain.ask), make(chain.ark)});
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->simulated());
}

}  // namespace
}  // namespace attestbed::verify
