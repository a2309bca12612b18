// SPDX-License-Identifier: Apache-2.0
#include "sim/ca.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstring>

#include "core/crypto/openssl/handles.h"
#include "sim/utc_time.h"

namespace attestbed::sim {
namespace {

CertificateAuthority default_authority(snp::Product product = snp::Product::milan) {
  auto made = CertificateAuthority::of_default_seed(product);
  if (!made) throw std::runtime_error(made.error().text);
  return *std::move(made);
}

TEST(Authority, SameSeedGivesTheSameOctets) {
  const CertificateAuthority a = default_authority(), b = default_authority();
  EXPECT_EQ(a.ark(), b.ark());
  EXPECT_EQ(a.ask(), b.ask());
  EXPECT_EQ(a.asvk(), b.asvk());
  EXPECT_EQ(a.vcek(), b.vcek());
  EXPECT_EQ(a.vlek(), b.vlek());
  EXPECT_EQ(a.crl(), b.crl());
  const auto signed_once = a.sign_report(bytes_of("a report")), signed_again = b.sign_report(bytes_of("a report"));
  ASSERT_TRUE(signed_once && signed_again);
  EXPECT_EQ(std::memcmp(&*signed_once, &*signed_again, sizeof *signed_once), 0);
}

TEST(Authority, SignaturesDoNotDependOnWhatWasSignedBefore) {
  const CertificateAuthority a = default_authority(), b = default_authority();
  ASSERT_TRUE(a.sign_report(bytes_of("something else")));
  const auto later = a.sign_report(bytes_of("a report")), first = b.sign_report(bytes_of("a report"));
  ASSERT_TRUE(later && first);
  EXPECT_EQ(std::memcmp(&*later, &*first, sizeof *later), 0);
  // A nonce that two messages share gives the key away; equal r would be the sign of it.
  const auto other = a.sign_report(bytes_of("something else"));
  ASSERT_TRUE(other);
  EXPECT_NE(std::memcmp(later->r, other->r, sizeof later->r), 0);
}

TEST(Authority, AnotherSeedGivesAnotherChipAndOtherKeys) {
  const auto make = [](std::optional<Seed> seed) {
    auto made = CertificateAuthority::create(
        {.product = snp::Product::genoa, .seed = seed, .tcb = {}, .not_before = seeded_not_before()});
    if (!made) throw std::runtime_error(made.error().text);
    return *std::move(made);
  };
  const CertificateAuthority seven = make(7), again = make(7), random = make(std::nullopt);
  EXPECT_EQ(seven.ark(), again.ark());
  EXPECT_EQ(seven.ask(), again.ask());
  EXPECT_EQ(seven.vcek(), again.vcek());
  const CertificateAuthority one = default_authority(snp::Product::genoa);
  for (const CertificateAuthority* other : {&one, &random}) {
    EXPECT_NE(seven.ark(), other->ark());
    EXPECT_NE(seven.ask(), other->ask());
    EXPECT_NE(seven.vcek(), other->vcek());
    EXPECT_NE(seven.chip_id(), other->chip_id());
  }
}

TEST(Authority, ChipIdBeginsWithTheMarkerAlsoInTheCertificate) {
  const std::pair<snp::Product, std::string_view> kMarkers[] = {{snp::Product::milan, "attestbed-sim"},
                                                                {snp::Product::genoa, "attestbed-sim"},
                                                                {snp::Product::turin, "abed-sim"}};
  for (const auto& [product, marker] : kMarkers) {
    const CertificateAuthority authority = default_authority(product);
    EXPECT_TRUE(text_of(authority.chip_id()).starts_with(marker));
    EXPECT_NE(text_of(authority.vcek()).find(text_of(authority.hardware_id())), std::string_view::npos);
    EXPECT_NE(text_of(authority.vlek()).find("CN=attestbed-sim"), std::string_view::npos);
  }
  const CertificateAuthority turin = default_authority(snp::Product::turin);
  EXPECT_EQ(turin.hardware_id().size(), 8U);
  EXPECT_TRUE(std::all_of(turin.chip_id().begin() + 8, turin.chip_id().end(), [](auto octet) { return octet == 0; }));
}

TEST(Authority, IssuesForAnyTcbAndTheSameEachTime) {
  const CertificateAuthority a = default_authority(snp::Product::turin), b = default_authority(snp::Product::turin);
  const snp::Tcb other{.fmc = 1, .boot_loader = 2, .tee = 3, .snp = 4, .microcode = 5};
  const auto first = a.issue_vcek(a.hardware_id(), other), again = b.issue_vcek(b.hardware_id(), other);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again);
  EXPECT_NE(*first, a.vcek());
  EXPECT_EQ(*a.issue_vcek(a.hardware_id(), a.tcb()), a.vcek());
  EXPECT_EQ(*a.issue_vlek(a.csp_id(), a.tcb()), a.vlek());
  EXPECT_NE(*a.issue_vlek("CN=another.example", a.tcb()), a.vlek());
  const auto configured = a.at_tcb(other);
  ASSERT_TRUE(configured);
  EXPECT_EQ(configured->vcek(), *first);
  EXPECT_EQ(configured->vlek(), *a.issue_vlek(a.csp_id(), other));
  EXPECT_EQ(configured->tcb(), other);
  EXPECT_EQ(configured->ark(), a.ark());
}

TEST(Authority, RefusesWhatNoCertificateCanSay) {
  const CertificateAuthority milan = default_authority();
  const ByteArray<64> long_id{1};
  EXPECT_EQ(milan.issue_vcek(Bytes(long_id).first(8), {}).error().code, Errc::bad_length);
  EXPECT_EQ(default_authority(snp::Product::turin).issue_vcek(long_id, {}).error().code, Errc::bad_length);
  for (const snp::Tcb& bad :
       {snp::Tcb{.fmc = 1}, snp::Tcb{.boot_loader = 128}, snp::Tcb{.tee = 128}, snp::Tcb{.snp = 128}}) {
    EXPECT_EQ(milan.issue_vcek(long_id, bad).error().code, Errc::bad_config);
    EXPECT_EQ(milan.issue_vlek("CN=x", bad).error().code, Errc::bad_config);
    EXPECT_EQ(milan.at_tcb(bad).error().code, Errc::bad_config);
  }
  EXPECT_TRUE(milan.issue_vcek(long_id, {.boot_loader = 127, .tee = 127, .snp = 127, .microcode = 255}));
  for (const std::string& bad : {std::string(), std::string(65, 'x'), std::string("a\nb"), std::string("\xc3\xa9")}) {
    EXPECT_EQ(milan.issue_vlek(bad, {}).error().code, Errc::bad_config) << bad;
  }
  EXPECT_EQ(milan.sign_report({}, snp::SigningKey::none).error().code, Errc::bad_value);
}

// OpenSSL's own reading of a CRL is the oracle.
TEST(Authority, CrlIsSignedByTheArkAndRevokesWhatItIsAskedTo) {
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    const CertificateAuthority authority = default_authority(product);
    const auto x509 = [](const Der& octets) {
      const unsigned char* at = octets.data();
      return openssl::X509Handle(d2i_X509(nullptr, &at, static_cast<long>(octets.size())));
    };
    const auto revoked_by = [&](const Der& octets, const Der& certificate) {
      const unsigned char* at = octets.data();
      const std::unique_ptr<X509_CRL, openssl::Deleter<X509_CRL_free>> crl(
          d2i_X509_CRL(nullptr, &at, static_cast<long>(octets.size())));
      EXPECT_TRUE(crl);
      EXPECT_EQ(at, octets.data() + octets.size());
      EXPECT_EQ(X509_CRL_verify(crl.get(), X509_get0_pubkey(x509(authority.ark()).get())), 1);
      EXPECT_EQ(X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(x509(authority.ark()).get())), 0);
      X509_REVOKED* entry = nullptr;
      return X509_CRL_get0_by_cert(crl.get(), &entry, x509(certificate).get()) == 1;
    };
    EXPECT_FALSE(revoked_by(authority.crl(), authority.ask()));
    EXPECT_FALSE(revoked_by(authority.crl(), authority.asvk()));
    const std::uint32_t serials[] = {authority.profile().ask_serial};
    const auto revoking = authority.issue_crl(serials);
    ASSERT_TRUE(revoking);
    EXPECT_TRUE(revoked_by(*revoking, authority.ask()));
    EXPECT_FALSE(revoked_by(*revoking, authority.asvk()));
  }
}

TEST(UtcTime, ReadsWhatItWritesAndNothingElse) {
  const auto time = utc_time("2032-02-29T23:59:58Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(utc_text(*time), "2032-02-29T23:59:58Z");
  EXPECT_EQ(time->time_since_epoch().count(), 1961711998);  // date -u -d 2032-02-29T23:59:58Z +%s
  for (const char* bad : {"", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z",
                          "1969-12-31T23:59:59Z", "2025-01-01T00:00:00", "2025-01-01 00:00:00Z", "2025-1-01T00:00:00Z",
                          "2025-01-01T00:00:60Z", "2025-01-01T00:00:00+Z"}) {
    EXPECT_FALSE(utc_time(bad)) << bad;
  }
}

}  // namespace
}  // namespace attestbed::sim
