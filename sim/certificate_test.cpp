// SPDX-License-Identifier: Apache-2.0
#include "sim/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <fstream>
#include <iterator>

#include "core/crypto/openssl/handles.h"

// The oracle is AMD: given the public key, dates, TCB and chip of a real certificate, our encoder must produce the very
// octets that AMD signed.
namespace attestbed::sim {
namespace {

using std::chrono::sys_seconds;

const std::string kTestData = ATTESTBED_SOURCE_DIR "/core/verify/testdata/";

std::string file(const std::string& name) {
  std::ifstream in(kTestData + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<openssl::X509Handle> pem(const std::string& name) {
  const std::string text = file(name);
  const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<openssl::X509Handle> all;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  return all;
}

openssl::X509Handle der(const std::string& name) {
  const std::string text = file(name);
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  return openssl::X509Handle(d2i_X509(nullptr, &at, static_cast<long>(text.size())));
}

Der signed_part(X509* certificate) {
  unsigned char* octets = nullptr;
  const int size = i2d_re_X509_tbs(certificate, &octets);
  Der out(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

Der spki(X509* certificate) {
  unsigned char* octets = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &octets);
  Der out(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

sys_seconds at(const ASN1_TIME* time) {
  std::tm tm{};
  ASN1_TIME_to_tm(time, &tm);
  return sys_seconds(std::chrono::seconds(timegm(&tm)));
}

KeyId subject_id(X509* certificate) {
  KeyId id{};
  const ASN1_OCTET_STRING* octets = X509_get0_subject_key_id(certificate);
  std::copy_n(ASN1_STRING_get0_data(octets), id.size(), id.begin());
  return id;
}

struct RealAuthorities {
  snp::Product product;
  VekLine line;
  const char* file;
};
class Authorities : public testing::TestWithParam<RealAuthorities> {};

TEST_P(Authorities, AreWrittenAsAmdWritesThem) {
  const auto certificates = pem(GetParam().file);
  ASSERT_EQ(certificates.size(), 2U);
  X509* intermediate = certificates[0].get();
  X509* ark = certificates[1].get();
  const ProductProfile& profile = profile_of(GetParam().product);

  const Validity ark_dates = years_from(at(X509_get0_notBefore(ark)), kAuthorityYears);
  EXPECT_EQ(tbs_ark(profile, ark_dates, spki(ark), subject_id(ark)), signed_part(ark));

  const Validity dates = years_from(at(X509_get0_notBefore(intermediate)), kAuthorityYears);
  EXPECT_EQ(
      tbs_intermediate(profile, GetParam().line, dates, spki(intermediate), subject_id(intermediate), subject_id(ark)),
      signed_part(intermediate));
}
INSTANTIATE_TEST_SUITE_P(
    Amd, Authorities,
    testing::Values(RealAuthorities{snp::Product::milan, VekLine::vcek, "ca/ask_ark_milan.pem"},
                    RealAuthorities{snp::Product::milan, VekLine::vlek, "ca/ask_ark_milan_vlek.pem"},
                    RealAuthorities{snp::Product::genoa, VekLine::vcek, "ca/ask_ark_genoa.pem"},
                    RealAuthorities{snp::Product::genoa, VekLine::vlek, "ca/ask_ark_genoa_vlek.pem"},
                    RealAuthorities{snp::Product::turin, VekLine::vcek, "ca/ask_ark_turin_vcek.pem"},
                    RealAuthorities{snp::Product::turin, VekLine::vlek, "ca/ask_ark_turin_vlek.pem"}));

struct RealVcek {
  snp::Product product;
  const char* file;
  snp::Tcb tcb;  // the report's REPORTED_TCB
  std::size_t hardware_id_octets;
};
class Vceks : public testing::TestWithParam<RealVcek> {};

TEST_P(Vceks, AreWrittenAsAmdWritesThem) {
  const openssl::X509Handle real = der(GetParam().file);
  ASSERT_TRUE(real);
  const Der expected = signed_part(real.get());
  // The hardware id is the last extension, at the very end.
  const Bytes hardware_id = Bytes(expected).last(GetParam().hardware_id_octets);
  const Validity dates = years_from(at(X509_get0_notBefore(real.get())), kVcekYears);
  EXPECT_EQ(tbs_vcek(profile_of(GetParam().product), dates, spki(real.get()), GetParam().tcb, hardware_id), expected);
}
INSTANTIATE_TEST_SUITE_P(
    Amd, Vceks,
    testing::Values(
        RealVcek{
            snp::Product::milan, "certs/v3-milan.vcek.der", {.boot_loader = 4, .snp = 0x18, .microcode = 0xdb}, 64},
        RealVcek{
            snp::Product::genoa, "certs/v5-genoa.vcek.der", {.boot_loader = 10, .snp = 0x19, .microcode = 0x54}, 64},
        RealVcek{snp::Product::turin, "certs/v5-turin.vcek.der", {.boot_loader = 1, .snp = 2, .microcode = 0x47}, 8}));

TEST(Vleks, AreWrittenAsAmdWritesThem) {
  const openssl::X509Handle real = der("certs/v3-milan-vlek.vlek.der");
  ASSERT_TRUE(real);
  const Validity dates = years_from(at(X509_get0_notBefore(real.get())), kVlekYears);
  EXPECT_EQ(tbs_vlek(profile_of(snp::Product::milan), dates, spki(real.get()),
                     {.boot_loader = 4, .snp = 0x18, .microcode = 0xd9}, "CN=cc-us-east-2.amazonaws.com"),
            signed_part(real.get()));
}

TEST(CertificateDates, UseFourDigitYearsFrom2050) {
  using namespace std::chrono;
  const ProductProfile& profile = profile_of(snp::Product::milan);
  const Der tbs = tbs_ark(profile, years_from(sys_days(2025y / 1 / 1), 25), der_null(), KeyId{});
  const std::string_view text = text_of(tbs);
  EXPECT_NE(text.find("250101000000Z"), std::string_view::npos);
  EXPECT_NE(text.find("20500101000000Z"), std::string_view::npos);
}

TEST(CertificateDates, ALeapDayEndsOnTheLastOfFebruary) {
  using namespace std::chrono;
  EXPECT_EQ(years_from(sys_days(2024y / 2 / 29), 7).not_after, sys_seconds(sys_days(2031y / 2 / 28)));
}

}  // namespace
}  // namespace attestbed::sim
