// SPDX-License-Identifier: Apache-2.0
// Evidence without certificates, at a broker without certificates: everything comes from a simulated KDS.
#include <fstream>
#include <thread>

#include "core/posix/clock.h"
#include "kds-client/kds_fixture.h"
#include "mock-kbs/broker_fixture.h"

namespace attestbed::kbs {
namespace {

using namespace std::chrono_literals;
using snp::Product;

class JudgeWithKdsTest : public kds::test::KdsTest {
 protected:
  static const sim::CertificateAuthority& authority() {
    return kds::test::catalogue().authorities().at(Product::milan);
  }

  static ReferenceValues values() {
    ReferenceEntry entry;
    entry.name = "guest";
    entry.measurements = {snp::Measurement{}};
    entry.roots = *verify::Certificate::parse(authority().ark(), "ark");
    return *ReferenceValues::make({entry});
  }

  void SetUp() override {
    posix::KernelEntropy entropy;
    crypto::EcKey key;
    ASSERT_TRUE(key.generate(crypto::Curve::p521, entropy));
    request_.key = protocol::GuestPublicKey::of(key.point());
    snp::RawReport report{};
    report.version = 3;
    report.policy = snp::kPolicyReservedOne;
    report.signature_algo = 1;
    report.current_tcb = report.committed_tcb = report.reported_tcb = report.launch_tcb =
        snp::encode_tcb(Product::milan, authority().tcb());
    // SHA-512(x, y, challenge), as docs/protocol.md has it.
    report.report_data = *crypto::sha512({key.point().x(), key.point().y(), kChallenge});
    report.cpuid_family = authority().profile().cpuid_family;
    report.cpuid_model = authority().profile().cpuid_model;
    report.chip_id = authority().chip_id();
    report.signature = *authority().sign_report(octets_of(report).first(snp::kSignedReportBytes));
    std::ranges::copy(octets_of(report), request_.evidence.report.begin());
  }

  Judgement judge(kds::Client& client, Clock& clock, std::chrono::milliseconds budget = 5s) {
    const EvidenceJudge judge({}, KdsSource{client, clock, budget, /*check_revocation=*/false});
    return judge.judge(request_, *protocol::Challenge::make(kChallenge), values(), kNow);
  }

  static constexpr ByteArray<32> kChallenge{7};
  AttestRequest request_;
};

TEST_F(JudgeWithKdsTest, CompletesTheEvidence) {
  serve();
  const auto client = this->client();
  const Judgement judgement = judge(*client, clock_);
  EXPECT_TRUE(judgement.outcome) << judgement.outcome.error().text();
}

TEST_F(JudgeWithKdsTest, NamesTheKdsWhereItFails) {
  serve({"1+:404"});
  const auto client = this->client();
  const Judgement judgement = judge(*client, clock_);
  ASSERT_FALSE(judgement.outcome);
  EXPECT_EQ(judgement.layer, Layer::endorse);
  EXPECT_EQ(judgement.outcome.error().code, Errc::kds_unknown);
}

TEST_F(JudgeWithKdsTest, ASlowKdsEndsWithinTheBudget) {
  serve({"1+:delay:600000"});
  posix::SteadyClock clock;
  const auto client = this->client();
  const auto with_real_time = *kds::Client::make(options_, clock);
  const Judgement judgement = judge(*with_real_time, clock, 50ms);
  ASSERT_FALSE(judgement.outcome);
  EXPECT_EQ(judgement.outcome.error().code, Errc::kds_timeout);
}

// Somebody wrote a certificate into the cache that has the right form and no AMD behind it.
TEST_F(JudgeWithKdsTest, AForgedCacheIsFetchedAnew) {
  serve();
  options_.cache = scratch_.path("cache");
  const auto cache = kds::DiskCache::open(options_.cache);
  std::vector<std::uint8_t> forged = vcek_der();
  forged.back() ^= 1;  // in the signature
  ASSERT_TRUE(cache->write(vcek(), forged, kNow));
  ASSERT_TRUE(cache->read(vcek())) << "its form is right";
  const auto client = this->client();
  const Judgement judgement = judge(*client, clock_);
  EXPECT_TRUE(judgement.outcome) << judgement.outcome.error().text();
  EXPECT_EQ(cache->read(vcek())->octets, vcek_der());

  ASSERT_TRUE(cache->write(vcek(), forged, kNow));
  options_.offline = true;
  const Judgement offline = judge(*this->client(), clock_);
  EXPECT_EQ(offline.outcome.error().code, Errc::chain_signature);
  EXPECT_TRUE(cache->read(vcek())) << "offline there is no other copy";
}

TEST_F(JudgeWithKdsTest, AsksForNothingThatTheBrokerHas) {
  serve({"1+:503"});
  const auto client = this->client();
  std::vector<verify::Certificate> own = *verify::Certificate::parse(authority().vcek(), "vcek");
  own.push_back(verify::Certificate::parse(authority().ask(), "ask")->front());
  const EvidenceJudge judge(own, KdsSource{*client, clock_, 5s, false});
  EXPECT_TRUE(judge.judge(request_, *protocol::Challenge::make(kChallenge), values(), kNow).outcome);
  EXPECT_EQ(server_->requests(), 0U);
}

}  // namespace
}  // namespace attestbed::kbs
