// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/cert_table.h"

#include <gtest/gtest.h>

#include "core/base/wire.h"
#include "core/posix/describe.h"
#include "mock-kbs/broker_fixture.h"
#include "sim/ca.h"

namespace attestbed::kbs {
namespace {

using Table = std::vector<std::uint8_t>;

// GUIDs as people write them (GHCB specification 56421), without the dashes.
constexpr char kArk[] = "c0b406a4a803495297433fb6014cd0ae";
constexpr char kAsk[] = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr char kVcek[] = "63da758de6644564adc5f4b93be8accd";
constexpr char kPlatform[] = "ecae0c0f950243b1afa20ae2e0d565b6";

void put_entry(Table& table, const std::string& guid, std::uint32_t offset, std::uint32_t length) {
  std::string octets;
  EXPECT_TRUE(posix::from_hex(guid, octets));
  table.insert(table.end(), octets.begin(), octets.end());
  for (const std::uint32_t value : {offset, length}) {
    for (int shift = 0; shift < 32; shift += 8) table.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void put_end(Table& table) {
  table.insert(table.end(), 24, 0);
}

const sim::CertificateAuthority& authority() {
  static const sim::CertificateAuthority made = *sim::CertificateAuthority::of_default_seed(snp::Product::milan);
  return made;
}

Table good_table() {
  const auto& ark = authority().ark();
  const auto& ask = authority().ask();
  const auto& vcek = authority().vcek();
  const auto size = [](const auto& der) { return static_cast<std::uint32_t>(der.size()); };
  constexpr std::uint32_t kData = 5 * 24;
  const std::uint32_t behind = kData + size(ark) + size(ask) + size(vcek);
  Table table;
  put_entry(table, kArk, kData, size(ark));
  put_entry(table, kAsk, kData + size(ark), size(ask));
  put_entry(table, kPlatform, behind, 8);
  put_entry(table, kVcek, kData + size(ark) + size(ask), size(vcek));
  put_end(table);
  for (const auto* der : {&ark, &ask, &vcek}) table.insert(table.end(), der->begin(), der->end());
  table.resize(4096 * ((table.size() + 4095) / 4096));
  return table;
}

TEST(CertTable, YieldsVekAndIntermediateAndNeverARoot) {
  const auto certificates = certificates_of_table(good_table());
  ASSERT_TRUE(certificates) << certificates.error().text();
  ASSERT_EQ(certificates->size(), 2U);
  EXPECT_EQ((*certificates)[0].kind(), verify::Certificate::Kind::ask);
  EXPECT_EQ((*certificates)[1].kind(), verify::Certificate::Kind::vcek);
  EXPECT_EQ((*certificates)[1].source(), "certs-buf.VCEK");
}

TEST(CertTable, EndorsesAReportForABrokerThatHasNoCertificates) {
  BrokerFixture fixture;
  TestGuest guest = fixture.open_session();
  const auto challenge = *protocol::Challenge::make(ByteArray<32>{7});
  guest.report.report_data =
      *crypto::sha512({fixture.guest_key().point().x(), fixture.guest_key().point().y(), challenge.octets()});
  BrokerFixture::sign(guest.report);
  AttestRequest request;
  request.key = protocol::GuestPublicKey::of(fixture.guest_key().point());
  std::ranges::copy(octets_of(guest.report), request.evidence.report.begin());
  const auto held = fixture.broker().state.now();
  const ReferenceValues& values = held->reference;
  const EvidenceJudge bare({});
  const Judgement without = bare.judge(request, challenge, values, fixture.date().now());
  ASSERT_FALSE(without.outcome);
  EXPECT_EQ(without.layer, Layer::endorse);
  EXPECT_EQ(without.outcome.error().code, Errc::certificate_missing);
  request.evidence.certs = good_table();
  const Judgement with = bare.judge(request, challenge, values, fixture.date().now());
  EXPECT_TRUE(with.outcome) << with.outcome.error().text();
}

// The table's own form is judged by core (certificate_table_test): here, that its refusals arrive, and what is inside.
TEST(CertTable, RefusesWhatIsNotATableOrNoCertificate) {
  Table outside, garbage, twice = good_table();
  put_entry(outside, kVcek, 48, 1);
  put_end(outside);
  put_entry(garbage, kVcek, 48, 48);
  put_end(garbage);
  garbage.resize(96);
  std::copy_n(twice.begin(), 16, twice.begin() + 24);
  const std::pair<const char*, std::pair<Table, Errc>> cases[] = {
      {"empty", {{}, Errc::truncated}},
      {"outside", {outside, Errc::bad_length}},
      {"an ARK twice", {twice, Errc::bad_value}},
      {"no certificate", {garbage, Errc::certificate_malformed}},
  };
  for (const auto& [name, one] : cases) {
    SCOPED_TRACE(name);
    const auto certificates = certificates_of_table(one.first);
    ASSERT_FALSE(certificates);
    EXPECT_EQ(error_name(certificates.error().code), std::string(error_name(one.second)));
  }
}

TEST(CertTable, RefusesEveryTableThatIsCutBeforeItsPadding) {
  const Table whole = good_table();
  std::size_t used = whole.size();
  while (whole[used - 1] == 0) --used;
  for (std::size_t n = 0; n < used; n += 13) EXPECT_FALSE(certificates_of_table(Bytes(whole).first(n))) << n;
}

}  // namespace
}  // namespace attestbed::kbs
