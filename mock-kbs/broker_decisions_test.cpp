// SPDX-License-Identifier: Apache-2.0
// What the broker's owner decides: bindings and keys, the shape of evidence, TEE sample, modes and policies.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/protocol/jwe.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/broker_fixture.h"
#include "sim/manual_clock.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using protocol::GuestKey;
using protocol::KeyType;
using Base = ResourcePolicy::Base;

constexpr std::string_view kPath = "default/sample/test";

const GuestKey& key_of(KeyType type) {
  static const auto keys = [] {
    auto made = std::make_unique<std::array<GuestKey, 3>>();
    posix::KernelEntropy entropy;
    posix::SteadyClock clock;
    for (const KeyType each : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
      EXPECT_TRUE((*made)[static_cast<std::size_t>(each)].generate(each, entropy, clock,
                                                                   clock.now() + std::chrono::minutes(5), nullptr));
    }
    return made;
  }();
  return (*keys)[static_cast<std::size_t>(type)];
}

// The JWK as text, put together by hand: neither the guest's writer nor the broker's.
std::string jwk_of(const GuestKey& key) {
  const protocol::GuestPublicKey half = key.public_key();
  if (key.type == KeyType::rsa3072) {
    return R"({"alg":"RSA-OAEP-256","e":"AQAB","kty":"RSA","n":")" + base64url(half.rsa.n) + R"("})";
  }
  return std::string(R"({"alg":"ECDH-ES+A256KW","crv":")") + (key.type == KeyType::p256 ? "P-256" : "P-521") +
         R"(","kty":"EC","x":")" + base64url(half.ec.x()) + R"(","y":")" + base64url(half.ec.y()) + R"("})";
}

// kbs-sha384 as the KBS protocol has it: SHA-384 of the text of RFC 8785.
crypto::Sha384Digest digest_of(const GuestKey& key, const std::string& nonce) {
  const std::string text = R"({"additional-evidence":"","nonce":")" + nonce + R"(","tee-pubkey":)" + jwk_of(key) + "}";
  return *crypto::sha384({bytes_of(text)});
}

void bind(TestGuest& guest, const GuestKey& key) {
  const crypto::Sha384Digest digest = digest_of(key, guest.nonce);
  guest.report.report_data = {};
  std::ranges::copy(digest, guest.report.report_data.begin());
}

json body_of(const BrokerFixture& fixture, TestGuest& guest, const GuestKey& key) {
  BrokerFixture::sign(guest.report);
  json body = fixture.attest_body(guest);
  body["runtime-data"]["tee-pubkey"] = json::parse(jwk_of(key));
  return body;
}

Response send(BrokerFixture& fixture, const TestGuest& guest, const json& body) {
  return handle(fixture.broker(), fixture.attest_request(guest, body.dump()));
}

std::vector<std::uint8_t> octets(const json& object, const char* name) {
  return *octets_of_base64(Base64::url, object.at(name).get<std::string>(), name);
}
template <std::size_t N>
ByteArray<N> fixed(const json& object, const char* name) {
  const std::vector<std::uint8_t> all = octets(object, name);
  EXPECT_EQ(all.size(), N) << name;
  ByteArray<N> array{};
  std::copy_n(all.begin(), std::min(all.size(), N), array.begin());
  return array;
}

std::string open_with(const GuestKey& key, const std::string& body) {
  const json jwe = json::parse(body);
  const std::string aad = jwe.at("protected").get<std::string>();
  const json header = json::parse(text_of(octets(jwe, "protected")));
  protocol::Decryption decryption{.epk = std::nullopt,
                                  .wrapped_cek = {},
                                  .aad = bytes_of(aad),
                                  .iv = fixed<12>(jwe, "iv"),
                                  .tag = fixed<16>(jwe, "tag")};
  decryption.wrapped_cek = *protocol::WrappedCek::make(key.type, octets(jwe, "encrypted_key"), "encrypted_key");
  if (protocol::is_ec(key.type)) {
    const json& epk = header.at("epk");
    decryption.epk = *crypto::EcPoint::make(protocol::curve_of(key.type), octets(epk, "x"), octets(epk, "y"), "epk");
  }
  std::vector<std::uint8_t> ciphertext = octets(jwe, "ciphertext");
  const auto plaintext = protocol::jwe_open(key, decryption, ciphertext);
  EXPECT_TRUE(plaintext);
  return plaintext ? std::string(text_of(*plaintext)) : "";
}

std::string code_of(const Response& response) {
  return response.audit.refusal ? error_name(response.audit.refusal->code) : "";
}
bool says(const Response& response, const std::string& variant) {
  return response.body.find("errors/" + variant + "\"") != std::string::npos;
}

TEST(Binding, KbsSha384ReleasesTheSecretToEveryKindOfKey) {
  BrokerFixture fixture;
  for (const KeyType type : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
    SCOPED_TRACE(protocol::key_type_name(type));
    TestGuest guest = fixture.open_session();
    guest.report.measurement.fill(0xa5);
    bind(guest, key_of(type));
    const Response attested = send(fixture, guest, body_of(fixture, guest, key_of(type)));
    ASSERT_EQ(attested.status, 200) << audit_line(attested.audit);
    EXPECT_EQ(attested.audit.binding, "kbs-sha384");
    EXPECT_EQ(attested.audit.entry, "kbs-guest");
    const Response resource = fixture.get_resource(guest.cookie, std::string(kPath));
    ASSERT_EQ(resource.status, 200) << audit_line(resource.audit);
    EXPECT_EQ(open_with(key_of(type), resource.body), BrokerFixture::kSecret);
    // The token alone brings the same key back.
    const std::string bearer = "Bearer " + json::parse(attested.body).at("token").get<std::string>();
    EXPECT_EQ(open_with(key_of(type), fixture.get_resource("", std::string(kPath), bearer).body),
              BrokerFixture::kSecret);
  }
}

TEST(Binding, IsTheEntrysWhateverTheEvidenceLooksLike) {
  BrokerFixture fixture;
  TestGuest kbs = fixture.open_session();
  bind(kbs, key_of(KeyType::p521));  // measurement a1: an entry of svsm-sha512
  const Response crossed = send(fixture, kbs, body_of(fixture, kbs, key_of(KeyType::p521)));
  EXPECT_EQ(code_of(crossed), "report_data_mismatch");
  EXPECT_NE(crossed.audit.refusal->found.find("kbs-sha384"), std::string::npos);

  TestGuest svsm = fixture.open_session();
  svsm.report.measurement.fill(0xa5);
  const Response other = fixture.attest(svsm);
  EXPECT_EQ(code_of(other), "report_data_mismatch");
  EXPECT_NE(other.audit.refusal->found.find("svsm-sha512"), std::string::npos);

  TestGuest pair = fixture.open_session();
  const Response none = send(fixture, pair, body_of(fixture, pair, key_of(KeyType::p256)));
  EXPECT_EQ(code_of(none), "key_unsupported");
  EXPECT_TRUE(says(none, "AttestationError"));
}

// The report as Trustee's clients send it, by the offsets of the ABI.
json structure_of(const snp::RawReport& report) {
  const Bytes raw = octets_of(report);
  const auto list = [&raw](std::size_t at, std::size_t size) {
    return std::vector<int>(raw.begin() + static_cast<std::ptrdiff_t>(at),
                            raw.begin() + static_cast<std::ptrdiff_t>(at + size));
  };
  const auto tcb = [&raw](std::size_t at) {
    return json{{"fmc", nullptr},
                {"bootloader", raw[at]},
                {"tee", raw[at + 1]},
                {"snp", raw[at + 6]},
                {"microcode", raw[at + 7]}};
  };
  const auto version = [&raw](std::size_t at) {
    return json{{"build", raw[at]}, {"minor", raw[at + 1]}, {"major", raw[at + 2]}};
  };
  return {{"version", std::uint32_t{report.version}},
          {"guest_svn", std::uint32_t{report.guest_svn}},
          {"policy", std::uint64_t{report.policy}},
          {"family_id", list(0x10, 16)},
          {"image_id", list(0x20, 16)},
          {"vmpl", std::uint32_t{report.vmpl}},
          {"sig_algo", std::uint32_t{report.signature_algo}},
          {"current_tcb", tcb(0x38)},
          {"plat_info", std::uint64_t{report.platform_info}},
          {"key_info", std::uint32_t{report.key_flags}},
          {"report_data", list(0x50, 64)},
          {"measurement", list(0x90, 48)},
          {"host_data", list(0xc0, 32)},
          {"id_key_digest", list(0xe0, 48)},
          {"author_key_digest", list(0x110, 48)},
          {"report_id", list(0x140, 32)},
          {"report_id_ma", list(0x160, 32)},
          {"reported_tcb", tcb(0x180)},
          {"cpuid_fam_id", raw[0x188]},
          {"cpuid_mod_id", raw[0x189]},
          {"cpuid_step", raw[0x18a]},
          {"chip_id", list(0x1a0, 64)},
          {"committed_tcb", tcb(0x1e0)},
          {"current", version(0x1e8)},
          {"committed", version(0x1ec)},
          {"launch_tcb", tcb(0x1f0)},
          {"launch_mit_vector", nullptr},
          {"current_mit_vector", nullptr},
          {"signature", {{"r", list(0x2a0, 72)}, {"s", list(0x2e8, 72)}}}};
}

TEST(Structure, IsJudgedAsTheReportThatItIs) {
  BrokerFixture fixture;
  for (const bool flipped : {false, true}) {
    TestGuest guest = fixture.open_session();
    guest.report.measurement.fill(0xa5);
    bind(guest, key_of(KeyType::p256));
    json body = body_of(fixture, guest, key_of(KeyType::p256));
    json structure = structure_of(guest.report);
    if (flipped) structure["host_data"][0] = 1;
    const Bytes vcek = BrokerFixture::vcek();
    const json chain = {{{"cert_type", "VCEK"}, {"data", std::vector<int>(vcek.begin(), vcek.end())}}};
    body["tee-evidence"]["primary_evidence"] = {{"attestation_report", structure}, {"cert_chain", chain}};
    const Response attested = send(fixture, guest, body);
    EXPECT_EQ(attested.status, flipped ? 401 : 200) << audit_line(attested.audit);
    EXPECT_EQ(attested.audit.evidence, "structure");
    EXPECT_EQ(code_of(attested), flipped ? "signature_invalid" : "");
  }
}

json sample_body(const BrokerFixture& fixture, TestGuest& guest, const GuestKey& key) {
  json body = body_of(fixture, guest, key);
  body["tee-evidence"]["primary_evidence"] = {
      {"svn", "1"}, {"report_data", base64_text(Base64::standard, digest_of(key, guest.nonce))}};
  return body;
}

TEST(Sample, AttestsAsContraindicatedAndGetsWhatThePolicySays) {
  struct Case {
    Base base;
    int status;
  };
  for (const Case& c : {Case{Base::default_, 401}, Case{Base::affirming, 401}, Case{Base::allow_all, 200}}) {
    SCOPED_TRACE(policy_name(c.base));
    BrokerFixture fixture;
    BrokerState& state = fixture.broker().state;
    SecretOctets secret(6);
    std::ranges::copy(bytes_of("shared"), secret.expose_mut().begin());
    ASSERT_TRUE(state.put_resource(kPath, std::move(secret)));
    ASSERT_TRUE(state.set_policy(*ResourcePolicy::make(c.base, {})));
    TestGuest guest = fixture.open_session(Tee::sample);
    const GuestKey& key = key_of(KeyType::p256);
    const Response attested = send(fixture, guest, sample_body(fixture, guest, key));
    ASSERT_EQ(attested.status, 200) << audit_line(attested.audit);
    EXPECT_EQ(attested.audit.trust, "contraindicated");
    EXPECT_EQ(attested.audit.entry, "");
    const Response resource = fixture.get_resource(guest.cookie, std::string(kPath));
    EXPECT_EQ(resource.status, c.status) << audit_line(resource.audit);
    EXPECT_EQ(resource.audit.rule, policy_name(c.base));
    if (c.status == 200) {
      // The shared resource, never the one of an entry: it has none.
      EXPECT_EQ(open_with(key, resource.body), "shared");
    } else {
      EXPECT_TRUE(says(resource, "PolicyDeny"));
      EXPECT_EQ(code_of(resource), "resource_refused");
    }
  }
}

TEST(Sample, IsNoWayAroundAReport) {
  BrokerFixture fixture;
  ASSERT_TRUE(fixture.broker().state.set_policy(*ResourcePolicy::make(Base::allow_all, {})));
  const GuestKey& key = key_of(KeyType::p521);
  TestGuest snp = fixture.open_session(Tee::snp);
  EXPECT_EQ(code_of(send(fixture, snp, sample_body(fixture, snp, key))), "evidence_shape");
  TestGuest sample = fixture.open_session(Tee::sample);
  EXPECT_EQ(code_of(fixture.attest(sample)), "evidence_shape");
  TestGuest wrong = fixture.open_session(Tee::sample);
  json body = sample_body(fixture, wrong, key);
  body["runtime-data"]["tee-pubkey"] = json::parse(jwk_of(key_of(KeyType::p256)));
  EXPECT_EQ(code_of(send(fixture, wrong, body)), "report_data_mismatch");
}

TEST(Policy, DeniesByRuleAndGivesSharedResourcesToEveryEntry) {
  BrokerFixture fixture;
  BrokerState& state = fixture.broker().state;
  SecretOctets secret(6);
  std::ranges::copy(bytes_of("shared"), secret.expose_mut().begin());
  ASSERT_TRUE(state.put_resource("default/shared/all", std::move(secret)));
  TestGuest guest = fixture.open_session();
  ASSERT_EQ(fixture.attest(guest).status, 200);
  EXPECT_EQ(fixture.open_jwe(fixture.get_resource(guest.cookie, "default/shared/all").body), "shared");

  ASSERT_TRUE(state.set_policy(*ResourcePolicy::make(
      Base::default_, {{.name = "not-this-guest", .resource = "default/shared/*", .entry = "test-guest"}})));
  const Response denied = fixture.get_resource(guest.cookie, "default/shared/all");
  EXPECT_EQ(denied.status, 401);
  EXPECT_TRUE(says(denied, "PolicyDeny"));
  EXPECT_EQ(denied.audit.rule, "not-this-guest");
  EXPECT_EQ(fixture.get_resource(guest.cookie, std::string(kPath)).status, 200);

  // An entry that is gone takes everything with it, shared resources too.
  ASSERT_TRUE(state.set_policy(*ResourcePolicy::make(Base::allow_all, {})));
  ASSERT_TRUE(state.remove_entry("test-guest"));
  EXPECT_EQ(code_of(fixture.get_resource(guest.cookie, "default/shared/all")), "measurement_unknown");
}

TEST(Appraisal, StrictRefusesWhatTrusteeLetsThePolicyDecide) {
  struct Case {
    AppraisalMode mode;
    std::uint8_t measurement;
    std::uint64_t policy;
    const char* refusal;
    const char* trust;
    int affirming;
  };
  const Case cases[] = {
      {AppraisalMode::strict, 0xa1, 0, "", "affirming", 200},
      {AppraisalMode::strict, 0xa6, 0, "tcb_too_low", "", 401},
      {AppraisalMode::strict, 0xa1, snp::kPolicyDebug, "debug_enabled", "", 401},
      // Trustee's default policy: 97 for a TCB without reference values or below them, 36 for a guest open to debug.
      {AppraisalMode::trustee, 0xa1, 0, "", "contraindicated", 401},
      {AppraisalMode::trustee, 0xa6, 0, "", "contraindicated", 401},
      {AppraisalMode::trustee, 0xa1, snp::kPolicyDebug, "", "contraindicated", 401},
  };
  for (const Case& c : cases) {
    BrokerFixture fixture({}, c.mode);
    TestGuest guest = fixture.open_session();
    guest.report.measurement.fill(c.measurement);
    guest.report.policy = guest.report.policy | c.policy;
    const Response attested = fixture.attest(guest);
    EXPECT_EQ(code_of(attested), c.refusal);
    EXPECT_EQ(attested.audit.trust, c.trust);
    // Trustee's default policy looks at the TEE alone, `affirming` at the status.
    const int by_default = attested.status == 200 ? 200 : 401;
    EXPECT_EQ(fixture.get_resource(guest.cookie, std::string(kPath)).status, by_default);
    ASSERT_TRUE(fixture.broker().state.set_policy(*ResourcePolicy::make(Base::affirming, {})));
    EXPECT_EQ(fixture.get_resource(guest.cookie, std::string(kPath)).status, c.affirming);
  }
}

TEST(Appraisal, AffirmsHardwareWhoseTcbWasCompared) {
  BrokerFixture fixture({}, AppraisalMode::trustee);
  ReferenceEntry entry = *fixture.broker().state.now()->reference.find_name("newer-firmware");
  --entry.minimum_tcb->microcode;
  ASSERT_TRUE(fixture.broker().state.put_entry(entry));
  TestGuest guest = fixture.open_session();
  guest.report.measurement.fill(0xa6);
  EXPECT_EQ(fixture.attest(guest).audit.trust, "affirming");
}

TEST(NonceMode, TrusteesLetsASessionTryAgainAndGivesItsTokenOutAgain) {
  BrokerFixture fixture({.nonce_mode = NonceMode::trustee});
  TestGuest guest = fixture.open_session();
  TestGuest wrong = guest;
  wrong.report.vmpl = 1;
  EXPECT_EQ(code_of(fixture.attest(wrong)), "vmpl_too_high");
  const Response first = fixture.attest(guest);
  ASSERT_EQ(first.status, 200) << audit_line(first.audit);
  // The evidence is not looked at any more.
  const Response again = fixture.attest(wrong);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
}

}  // namespace
}  // namespace attestbed::kbs
