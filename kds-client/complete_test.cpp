// SPDX-License-Identifier: Apache-2.0
#include "kds-client/complete.h"

#include "core/posix/describe.h"
#include "core/verify/verified_report.h"
#include "kds-client/kds_fixture.h"

namespace attestbed::kds {
namespace {

using namespace std::chrono_literals;
using snp::Product;
using verify::Certificate;

class CompleteTest : public test::KdsTest {
 protected:
  static const sim::CertificateAuthority& authority(Product product) {
    return test::catalogue().authorities().at(product);
  }

  // Only what says which VCEK a report needs; nothing here looks at signatures of reports.
  static snp::RawReport report_of(Product product, std::uint32_t version = 3) {
    snp::RawReport report{};
    report.version = version;
    if (version >= 3) {
      report.cpuid_family = authority(product).profile().cpuid_family;
      report.cpuid_model = authority(product).profile().cpuid_model;
    }
    report.chip_id = authority(product).chip_id();
    report.reported_tcb = snp::encode_tcb(product, authority(product).tcb());
    return report;
  }

  static verify::TrustedRoots roots_of(Product product) {
    const auto ark = Certificate::parse(authority(product).ark(), "ark");
    return *verify::TrustedRoots::from_certificates(*ark);
  }

  Checked<std::vector<Request>> complete(const snp::RawReport& report, const verify::TrustedRoots& roots) {
    if (!client_) client_ = client();
    return complete_endorsements(*client_, report, certificates_, roots, in(60s));
  }

  std::unique_ptr<Client> client_;
  std::vector<Certificate> certificates_;
};

TEST_F(CompleteTest, FetchesWhatAChainNeeds) {
  serve();
  for (const auto& [product, authority] : test::catalogue().authorities()) {
    for (const std::uint32_t version : {2U, 3U, 5U}) {
      SCOPED_TRACE(std::string(snp::product_name(product)) + " version " + std::to_string(version));
      certificates_.clear();
      const snp::RawReport report = report_of(product, version);
      const auto from_cache = complete(report, roots_of(product));
      ASSERT_TRUE(from_cache) << from_cache.error().text();
      EXPECT_TRUE(from_cache->empty());
      ASSERT_EQ(certificates_.size(), 3U);
      EXPECT_EQ(certificates_[0].der(), authority.vcek());
      EXPECT_EQ(certificates_[1].der(), authority.ask());
      const auto vek = verify::verify_chain(certificates_[0], certificates_, roots_of(product), kNow);
      EXPECT_TRUE(vek) << vek.error().text();
      clock_.advance(10s);  // version 2 may have asked for Milan in vain
    }
  }
}

TEST_F(CompleteTest, AsksForNothingThatIsThere) {
  serve();
  certificates_ = {Certificate::parse(authority(Product::milan).vcek(), "vcek")->front(),
                   Certificate::parse(authority(Product::milan).ask(), "ask")->front()};
  EXPECT_TRUE(complete(report_of(Product::milan), roots_of(Product::milan)));
  EXPECT_EQ(server_->requests(), 0U);
  certificates_.pop_back();
  EXPECT_TRUE(complete(report_of(Product::milan), verify::TrustedRoots::amd()));
  EXPECT_EQ(server_->requests(), 0U) << "AMD's intermediates ship";
}

TEST_F(CompleteTest, SaysWhatItTookFromTheCache) {
  serve();
  options_.cache = scratch_.path("cache");
  ASSERT_TRUE(complete(report_of(Product::milan), roots_of(Product::milan)));
  certificates_.clear();
  const auto from_cache = complete(report_of(Product::milan), roots_of(Product::milan));
  ASSERT_TRUE(from_cache);
  ASSERT_EQ(from_cache->size(), 2U);
  EXPECT_EQ((*from_cache)[0].kind(), Request::Kind::vcek);
  EXPECT_EQ((*from_cache)[1].kind(), Request::Kind::cert_chain);
}

TEST_F(CompleteTest, FetchesTheCrlOfTheRoot) {
  serve();
  ASSERT_TRUE(complete(report_of(Product::turin), roots_of(Product::turin)));
  const auto vek = verify::verify_chain(certificates_[0], certificates_, roots_of(Product::turin), kNow);
  ASSERT_TRUE(vek) << vek.error().text();
  options_.cache = scratch_.path("cache");
  const auto kds = client();
  const auto crl = fetch_crl(*kds, *vek, kNow, in(60s));
  ASSERT_TRUE(crl) << crl.error().text();
  EXPECT_TRUE(verify::check_revocation(*vek, {&*crl, 1}, kNow));

  // One that no longer verifies is not taken from the cache.
  const auto cache = DiskCache::open(options_.cache);
  const Request request = Request::crl(Product::turin, Hierarchy::vcek);
  std::vector<std::uint8_t> forged = test::catalogue().authorities().at(Product::turin).crl();
  forged.back() ^= 1;
  ASSERT_TRUE(cache->write(request, forged, kNow));
  const auto again = fetch_crl(*kds, *vek, kNow, in(60s));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(verify::check_revocation(*vek, {&*again, 1}, kNow));
}

TEST_F(CompleteTest, NamesWhyItCannot) {
  serve();
  snp::RawReport masked = report_of(Product::milan);
  masked.chip_id = {};
  EXPECT_EQ(complete(masked, roots_of(Product::milan)).error().code, Errc::kds_chip_masked);
  snp::RawReport unknown = report_of(Product::milan);
  unknown.cpuid_model = 0x77;
  EXPECT_EQ(complete(unknown, roots_of(Product::milan)).error().code, Errc::product_unknown);
  snp::RawReport newer = report_of(Product::milan);
  newer.reported_tcb[7] = 255;
  EXPECT_EQ(complete(newer, roots_of(Product::milan)).error().code, Errc::kds_unknown);
  snp::RawReport older = report_of(Product::milan);
  older.reported_tcb[7] = 1;
  EXPECT_TRUE(complete(older, roots_of(Product::milan))) << "a chip has VCEKs for lower TCBs";
  certificates_.clear();
  EXPECT_TRUE(certificates_.empty());
}

TEST_F(CompleteTest, NeverAsksForAVlekNorForAnUnsignedReport) {
  serve();
  for (const std::uint32_t signing_key : {1U, 7U, 3U}) {
    snp::RawReport report = report_of(Product::milan);
    report.key_flags = signing_key << 2;
    EXPECT_TRUE(complete(report, roots_of(Product::milan)));
  }
  EXPECT_EQ(server_->requests(), 0U);
}

}  // namespace
}  // namespace attestbed::kds
