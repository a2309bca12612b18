// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/broker_fixture.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/posix/clock.h"
#include "core/protocol/jwe.h"
#include "mock-kbs/base64_text.h"
#include "sim/ca.h"
#include "sim/manual_clock.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

const sim::CertificateAuthority& authority() {
  static const sim::CertificateAuthority made = *sim::CertificateAuthority::of_default_seed(snp::Product::milan);
  return made;
}
const sim::CertificateAuthority& another_authority() {
  static const sim::CertificateAuthority made = *sim::CertificateAuthority::of_default_seed(snp::Product::genoa);
  return made;
}

verify::Certificate certificate(Bytes der, const char* source) {
  return verify::Certificate::parse(der, source)->front();
}

snp::Measurement measurement_of(std::uint8_t octet) {
  snp::Measurement measurement;
  measurement.fill(octet);
  return measurement;
}

std::shared_ptr<const SecretOctets> secret(std::string_view text) {
  SecretOctets octets(text.size());
  std::ranges::copy(bytes_of(text), octets.expose_mut().begin());
  return std::make_shared<const SecretOctets>(std::move(octets));
}

ReferenceValues reference_values() {
  ReferenceEntry entry;
  entry.name = "test-guest";
  entry.measurements = {measurement_of(0xa1)};
  entry.roots = {certificate(authority().ark(), "ark")};
  entry.resources.emplace("default/sample/test", secret(BrokerFixture::kSecret));
  entry.resources.emplace("default/sample/empty", secret(""));
  ReferenceEntry other = entry;
  other.name = "other-guest";
  other.measurements = {measurement_of(0xa2)};
  other.resources = {{"default/other/secret", secret("not yours")}};
  ReferenceEntry elsewhere = entry;
  elsewhere.name = "guest-of-another-root";
  elsewhere.measurements = {measurement_of(0xa3)};
  elsewhere.roots = {certificate(another_authority().ark(), "another ark")};
  ReferenceEntry lax = entry;
  lax.name = "lax-guest";
  lax.measurements = {measurement_of(0xa4)};
  lax.allow_debug = lax.allow_migration_agent = lax.w1_exposed = true;
  ReferenceEntry kbs = entry;
  kbs.name = "kbs-guest";
  kbs.measurements = {measurement_of(0xa5)};
  kbs.binding = protocol::Binding::kbs_sha384;
  ReferenceEntry newer = entry;
  newer.name = "newer-firmware";
  newer.measurements = {measurement_of(0xa6)};
  newer.minimum_tcb = authority().tcb();
  ++newer.minimum_tcb->microcode;
  return *ReferenceValues::make({entry, other, elsewhere, lax, kbs, newer});
}

std::vector<std::uint8_t> octets_of_base64(Base64 alphabet, const std::string& text) {
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const auto decoded = base64_decode(alphabet, bytes_of(text), octets, "test");
  octets.resize(decoded ? decoded->size() : 0);
  return octets;
}

std::string standard_base64(Bytes octets) {
  std::string text(base64_encoded_size(Base64::standard, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::standard, octets, out);
  return text;
}

template <std::size_t N>
ByteArray<N> fixed(const json& object, const char* name) {
  const std::vector<std::uint8_t> octets = octets_of_base64(Base64::url, object.at(name).get<std::string>());
  EXPECT_EQ(octets.size(), N) << name;
  ByteArray<N> array{};
  std::copy_n(octets.begin(), std::min(octets.size(), N), array.begin());
  return array;
}

}  // namespace

struct BrokerFixture::Impl {
  Impl(SessionTable::Limits limits, AppraisalMode mode)
      : sessions(clock, entropy, limits),
        state(*BrokerState::make({.reference = reference_values(), .resources = {}, .policy = {}}, Reach::loopback)),
        judge({certificate(authority().vcek(), "vcek"), certificate(authority().ask(), "ask")}, std::nullopt, mode),
        tokens(*TokenIssuer::make(entropy, limits.lifetime)) {
    EXPECT_TRUE(guest_key.generate(crypto::Curve::p521, entropy));
    EXPECT_TRUE(other_key.generate(crypto::Curve::p521, entropy));
  }
  sim::ManualClock clock;
  posix::KernelEntropy entropy;
  HandSetDate date;
  SessionTable sessions;
  std::unique_ptr<BrokerState> state;
  EvidenceJudge judge;
  TokenIssuer tokens;
  crypto::EcKey guest_key, other_key;
  Broker broker{*state, judge, sessions, tokens, entropy, date};
};

BrokerFixture::BrokerFixture(SessionTable::Limits limits, AppraisalMode mode)
    : impl_(std::make_unique<Impl>(limits, mode)) {}
BrokerFixture::~BrokerFixture() = default;

Broker& BrokerFixture::broker() {
  return impl_->broker;
}
HandSetDate& BrokerFixture::date() {
  return impl_->date;
}
void BrokerFixture::advance(std::chrono::seconds by) {
  impl_->clock.advance(by);
  impl_->date.advance(by);
}
const crypto::EcKey& BrokerFixture::guest_key() const {
  return impl_->guest_key;
}
const crypto::EcKey& BrokerFixture::other_key() const {
  return impl_->other_key;
}

TestGuest BrokerFixture::open_session(Tee tee) {
  const Response response = handle(
      broker(), {.method = "POST",
                 .target = "/kbs/v0/auth",
                 .body = std::string(R"({"version":"0.4.0","tee":")") + tee_name(tee) + R"(","extra-params":""})",
                 .cookies = {},
                 .authorization = {},
                 .peer = "test"});
  EXPECT_EQ(response.status, 200);
  TestGuest guest;
  guest.cookie = response.set_cookie.substr(0, response.set_cookie.find(';'));
  guest.nonce = json::parse(response.body).at("nonce").get<std::string>();
  snp::RawReport& report = guest.report;
  const sim::ProductProfile& profile = authority().profile();
  report.version = 3;
  report.policy = snp::kPolicyReservedOne | snp::kPolicySmtAllowed;
  report.signature_algo = 1;
  report.current_tcb = report.committed_tcb = report.reported_tcb = report.launch_tcb =
      snp::encode_tcb(profile.product, authority().tcb());
  report.report_data = report_data_for(guest_key().point(), guest.nonce);
  report.measurement = measurement_of(0xa1);
  report.cpuid_family = profile.cpuid_family;
  report.cpuid_model = profile.cpuid_model;
  report.cpuid_step = profile.cpuid_step;
  report.chip_id = authority().chip_id();
  return guest;
}

snp::ReportData BrokerFixture::report_data_for(const crypto::EcPoint& key, const std::string& nonce) {
  // Its own SHA-512 over the octets that docs/protocol.md names, not core's binding function.
  const std::vector<std::uint8_t> challenge = octets_of_base64(Base64::standard, nonce);
  return *crypto::sha512({key.x(), key.y(), challenge});
}

void BrokerFixture::sign(snp::RawReport& report) {
  report.signature = *authority().sign_report(octets_of(report).first(snp::kSignedReportBytes));
}

Bytes BrokerFixture::vcek() {
  return authority().vcek();
}

json BrokerFixture::attest_body(const TestGuest& guest) const {
  const crypto::EcPoint& key = guest_key().point();
  return {{"init-data", nullptr},
          {"runtime-data",
           {{"nonce", guest.nonce},
            {"tee-pubkey",
             {{"kty", "EC"},
              {"crv", "P-521"},
              {"alg", "ECDH-ES+A256KW"},
              {"x", base64url(key.x())},
              {"y", base64url(key.y())}}}}},
          {"tee-evidence",
           {{"primary_evidence", {{"certs-buf", nullptr}, {"snp-report", standard_base64(octets_of(guest.report))}}},
            {"additional_evidence", ""}}}};
}

Request BrokerFixture::attest_request(const TestGuest& guest, const std::string& body) const {
  return {.method = "POST",
          .target = "/kbs/v0/attest",
          .body = body,
          .cookies = guest.cookie,
          .authorization = {},
          .peer = "test"};
}

Response BrokerFixture::attest(TestGuest& guest) {
  sign(guest.report);
  return handle(broker(), attest_request(guest, attest_body(guest).dump()));
}

Response BrokerFixture::get_resource(const std::string& cookies, const std::string& path,
                                     const std::string& authorization) {
  return handle(broker(), {.method = "GET",
                           .target = "/kbs/v0/resource/" + path,
                           .body = {},
                           .cookies = cookies,
                           .authorization = authorization,
                           .peer = "test"});
}

std::string BrokerFixture::open_jwe(const std::string& body) const {
  const json jwe = json::parse(body);
  const std::string aad = jwe.at("protected").get<std::string>();
  const std::vector<std::uint8_t> header = octets_of_base64(Base64::url, aad);
  const json epk = json::parse(text_of(header)).at("epk");
  const auto point = crypto::EcPoint::make(crypto::Curve::p521, fixed<66>(epk, "x"), fixed<66>(epk, "y"), "epk");
  const protocol::Decryption decryption{.epk = *point,
                                        .wrapped_cek = fixed<40>(jwe, "encrypted_key"),
                                        .aad = bytes_of(aad),
                                        .iv = fixed<12>(jwe, "iv"),
                                        .tag = fixed<16>(jwe, "tag")};
  std::vector<std::uint8_t> ciphertext = octets_of_base64(Base64::url, jwe.at("ciphertext").get<std::string>());
  const auto plaintext = protocol::jwe_open(guest_key(), decryption, ciphertext);
  EXPECT_TRUE(plaintext);
  return plaintext ? std::string(text_of(*plaintext)) : "";
}

}  // namespace attestbed::kbs
