// SPDX-License-Identifier: Apache-2.0
// AMD's own hardware speaks here: seven public reports, their certificates, AMD's roots.
#include <gtest/gtest.h>

#include <openssl/sha.h>

#include <algorithm>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using test::at;

const char kWhen[] = "2025-10-01T00:00:00Z";

struct Sample {
  const char* report;
  const char* certificate;
  snp::Product product;
  std::uint32_t version;
  const char* ca;
};
constexpr Sample kSamples[] = {
    {"v2-milan-debug", "v2-milan-debug.vcek.der", snp::Product::milan, 2, "ask_ark_milan.pem"},
    {"v2-milan-idblock", "v2-milan-idblock.vcek.der", snp::Product::milan, 2, "ask_ark_milan.pem"},
    {"v2-milan-sevcrate", "v2-milan-sevcrate.vcek.der", snp::Product::milan, 2, "ask_ark_milan.pem"},
    {"v3-milan", "v3-milan.vcek.der", snp::Product::milan, 3, "ask_ark_milan.pem"},
    {"v3-milan-vlek", "v3-milan-vlek.vlek.der", snp::Product::milan, 3, "ask_ark_milan_vlek.pem"},
    {"v5-genoa", "v5-genoa.vcek.der", snp::Product::genoa, 5, "ask_ark_genoa.pem"},
    {"v5-turin", "v5-turin.vcek.der", snp::Product::turin, 5, "ask_ark_turin_vcek.pem"},
};

[[maybe_unused]] void PrintTo(const Sample& sample, std::ostream* out) {
  *out << sample.report;
}

class AmdSample : public testing::TestWithParam<Sample> {
 protected:
  test::Octets octets_ = test::read_testdata(std::string("reports/") + GetParam().report + ".bin");
  std::vector<Certificate> certificates_ = test::certificates_in("certs");

  snp::RawReport report() const {
    const auto parsed = check_form(octets_);
    EXPECT_TRUE(parsed) << parsed.error().text();
    return *parsed;
  }
  Vek vek() const {
    const auto parsed =
        Certificate::parse(test::read_testdata(std::string("certs/") + GetParam().certificate), "sample");
    const auto vek = verify_chain(parsed->front(), {}, TrustedRoots::amd(), at(kWhen));
    EXPECT_TRUE(vek) << vek.error().text();
    return *vek;
  }
};
INSTANTIATE_TEST_SUITE_P(All, AmdSample, testing::ValuesIn(kSamples), [](const auto& each) {
  std::string name = each.param.report;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(AmdSample, VerifiesAgainstAmdsRoots) {
  const snp::RawReport raw = report();
  const auto chosen = select_vek(raw, certificates_);
  ASSERT_TRUE(chosen) << chosen.error().text();
  EXPECT_EQ(chosen->source(), GetParam().certificate);
  Steps steps;
  const auto vek = verify_chain(*chosen, {}, TrustedRoots::amd(), at(kWhen), &steps);
  ASSERT_TRUE(vek) << vek.error().text();
  EXPECT_EQ(vek->product(), GetParam().product);
  const auto verified = verify_report(raw, *vek, &steps);
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_EQ(verified->report().version, GetParam().version);
  EXPECT_EQ(verified->chip_id_masked(), GetParam().report == std::string_view("v3-milan-vlek"));
  // Beside check_form, select_vek and check_revocation these are all checks that are declared, in their order.
  ASSERT_EQ(steps.size(), verification_checks().size() - 3);
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].check, verification_checks()[i + 2].name);
}

TEST_P(AmdSample, VerifiesWithTheChainThatKdsServesAsTheOnlyRoot) {
  const auto chain = Certificate::parse(test::read_testdata(std::string("ca/") + GetParam().ca), GetParam().ca);
  ASSERT_TRUE(chain);
  const auto roots = TrustedRoots::from_certificates(*chain);
  ASSERT_TRUE(roots);
  EXPECT_EQ(roots->certificates().size(), 1u);
  EXPECT_FALSE(roots->simulated());
  EXPECT_TRUE(verify_chain(vek().certificate(), *chain, *roots, at(kWhen)));
}

TEST_P(AmdSample, ReencodesByteIdentically) {
  const snp::RawReport raw = report();
  EXPECT_TRUE(std::ranges::equal(snp::octets_of(raw), octets_));
  for (const snp::TcbVersion* tcb : {&raw.current_tcb, &raw.reported_tcb, &raw.committed_tcb, &raw.launch_tcb}) {
    EXPECT_EQ(snp::encode_tcb(GetParam().product, snp::decode_tcb(GetParam().product, *tcb)), *tcb);
  }
}

TEST_P(AmdSample, IsRefusedUnderEveryOtherCertificate) {
  const snp::RawReport raw = report();
  for (const Certificate& other : certificates_) {
    if (other.source() == GetParam().certificate) continue;
    const auto vek = verify_chain(other, {}, TrustedRoots::amd(), at(kWhen));
    if (!vek) continue;  // the two bad ones
    EXPECT_FALSE(verify_report(raw, *vek)) << other.source();
  }
}

// What must refuse a change at which place, from the layout of ATTESTATION_REPORT (56860) alone.
Errc code_for_bit(const Sample& sample, std::size_t bit) {
  const std::size_t octet = bit / 8;
  const auto in = [&](std::size_t from, std::size_t to) { return octet >= from && octet < to; };
  // One bit makes a version 2 of a 3 and the other way round: then the CPUID octets betray it.
  if (bit == 0 && sample.version == 2) return Errc::product_unknown;
  if (bit == 0 && sample.version == 3) return Errc::report_reserved;
  if (in(0x000, 0x004)) return Errc::report_version;
  if (in(0x008, 0x010)) {
    const std::size_t policy_bit = bit - 0x008 * 8;
    return policy_bit == 17 || policy_bit >= 26 ? Errc::report_policy_bits : Errc::signature_invalid;
  }
  // There are VMPLs 0 to 3.
  if (in(0x030, 0x034)) return bit - 0x030 * 8 >= 2 ? Errc::report_reserved : Errc::signature_invalid;
  if (in(0x048, 0x04c)) {
    const std::size_t flag = bit - 0x048 * 8;
    if (flag >= 5) return Errc::report_reserved;
    if (flag >= 3) return Errc::report_unsigned;
    return flag == 2 ? Errc::certificate_missing : Errc::signature_invalid;  // VCEK for VLEK, and the other way round
  }
  if (in(0x180, 0x188)) return Errc::tcb_mismatch;
  if (in(0x188, 0x18b) && sample.version < 3) return Errc::report_reserved;
  if (octet == 0x188) return Errc::product_unknown;
  if (octet == 0x189) {
    const std::size_t model_bit = bit % 8;
    if (model_bit < 4) return Errc::signature_invalid;  // another model of the same product
    if (model_bit == 4 && sample.product != snp::Product::turin) return Errc::product_mismatch;  // Milan <-> Genoa
    return Errc::product_unknown;
  }
  if (in(0x1a0, 0x1e0) && sample.report != std::string_view("v3-milan-vlek")) return Errc::chip_id_mismatch;
  if (in(0x1f8, 0x208)) return sample.version < 5 ? Errc::report_reserved : Errc::signature_invalid;
  const bool reserved =
      in(0x04c, 0x050) || in(0x18b, 0x1a0) || octet == 0x1eb || octet == 0x1ef || in(0x208, 0x2a0) || in(0x330, 0x4a0);
  return reserved ? Errc::report_reserved : Errc::signature_invalid;
}

Errc code_of(Bytes octets, const Vek& vek) {
  const auto form = check_form(octets);
  if (!form) return form.error().code;
  const auto verified = verify_report(*form, vek);
  return verified ? Errc{} : verified.error().code;
}

TEST_P(AmdSample, RefusesEveryFlippedOctet) {
  const Vek key = vek();
  for (std::size_t octet = 0; octet < octets_.size(); ++octet) {
    test::Octets changed = octets_;
    changed[octet] ^= 0xff;
    Errc expected = octet == 0 ? Errc::report_version : code_for_bit(GetParam(), octet * 8);
    // All eight bits at once: the policy's third and fourth octets hold bits 17 and 26 to 31, the first of the VMPL
    // and of the key flags hold reserved bits, and the model leaves its product.
    if (octet == 0x00a || octet == 0x00b) expected = Errc::report_policy_bits;
    if (octet == 0x030 || octet == 0x048) expected = Errc::report_reserved;
    if (octet == 0x189 && GetParam().version >= 3) expected = Errc::product_unknown;
    ASSERT_STREQ(error_name(code_of(changed, key)), error_name(expected)) << "octet " << octet;
  }
}

// Every single bit of every report. What only the signature betrays costs a verification of it: there each sample takes
// a seventh of the bits, so that together they have all.
TEST_P(AmdSample, RefusesEverySingleBit) {
  const Vek key = vek();
  const auto mine = static_cast<std::size_t>(
      std::ranges::find(kSamples, std::string_view(GetParam().report), &Sample::report) - std::begin(kSamples));
  for (std::size_t bit = 0; bit < octets_.size() * 8; ++bit) {
    const Errc expected = code_for_bit(GetParam(), bit);
    if (expected == Errc::signature_invalid && bit % std::size(kSamples) != mine) continue;
    test::Octets changed = octets_;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_STREQ(error_name(code_of(changed, key)), error_name(expected)) << "bit " << bit;
  }
}

TEST_P(AmdSample, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < octets_.size(); ++size) {
    const auto form = check_form(Bytes(octets_).first(size));
    ASSERT_FALSE(form);
    ASSERT_EQ(form.error().code, Errc::bad_length);
  }
}

TEST(AmdChain, ExpiredVlekIsRefusedAsExpired) {
  const auto vlek = Certificate::parse(test::read_testdata("certs/v3-milan-vlek.vlek.der"), "vlek");
  const auto late = verify_chain(vlek->front(), {}, TrustedRoots::amd(), at("2026-11-01T00:00:00Z"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::chain_expired);
  EXPECT_EQ(late.error().found, "2025-12-10T22:14:21Z");
  const auto last_second = verify_chain(vlek->front(), {}, TrustedRoots::amd(), at("2025-12-10T22:14:21Z"));
  EXPECT_TRUE(last_second);
  const auto early = verify_chain(vlek->front(), {}, TrustedRoots::amd(), at("2024-12-10T22:14:20Z"));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::chain_not_yet_valid);
}

TEST(AmdChain, EditedCertificatesFailAtTheirSignature) {
  for (const char* file : {"certs/bad-hwid-wrapped.vcek.der", "certs/bad-legacy.vcek.der"}) {
    const auto bad = Certificate::parse(test::read_testdata(file), file);
    ASSERT_TRUE(bad) << file;
    EXPECT_TRUE(bad->front().vek_extensions()) << "only the signature is wrong";
    const auto chain = verify_chain(bad->front(), {}, TrustedRoots::amd(), at(kWhen));
    ASSERT_FALSE(chain) << file;
    EXPECT_EQ(chain.error().code, Errc::chain_signature) << chain.error().text();
  }
}

TEST(AmdChain, SecondTurinVcekVerifies) {
  const auto vcek = Certificate::parse(test::read_testdata("certs/turin-only.vcek.der"), "turin-only");
  const auto vek = verify_chain(vcek->front(), {}, TrustedRoots::amd(), at(kWhen));
  ASSERT_TRUE(vek) << vek.error().text();
  EXPECT_EQ(vek->hardware_id().size(), 8u);
}

TEST(AmdRoots, AreTheOnesTheReadmeNames) {
  // SHA-256 of each DER as `openssl x509 -fingerprint -sha256` prints it for the files that AMD publishes.
  const char* const expected[] = {"4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
                                  "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
                                  "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"};
  const auto roots = TrustedRoots::amd().certificates();
  ASSERT_EQ(roots.size(), std::size(expected));
  for (std::size_t i = 0; i < roots.size(); ++i) {
    ByteArray<32> digest;
    SHA256(roots[i].der().data(), roots[i].der().size(), digest.data());
    EXPECT_EQ(hex_text(digest), expected[i]) << roots[i].common_name();
  }
  EXPECT_EQ(amd_intermediates().size(), 6u);
  EXPECT_FALSE(TrustedRoots::amd().simulated());
}

TEST(AmdRoots, OfAnotherProductDoNotVouch) {
  const auto genoa = Certificate::parse(test::read_testdata("ca/ask_ark_genoa.pem"), "genoa");
  const auto roots = TrustedRoots::from_certificates(*genoa);
  const auto milan = Certificate::parse(test::read_testdata("certs/v3-milan.vcek.der"), "milan");
  const auto chain = verify_chain(milan->front(), *genoa, *roots, at(kWhen));
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, Errc::root_untrusted) << chain.error().text();
}

}  // namespace
}  // namespace attestbed::verify
