// SPDX-License-Identifier: Apache-2.0
// What a guest was granted, after the owner changed what it was judged by.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mock-kbs/broker_fixture.h"
#include "sim/ca.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

constexpr char kPath[] = "default/sample/test";

std::shared_ptr<const SecretOctets> secret_of(std::string_view text) {
  SecretOctets octets(text.size());
  std::ranges::copy(bytes_of(text), octets.expose_mut().begin());
  return std::make_shared<const SecretOctets>(std::move(octets));
}

// A guest that has attested, and the two things that it may show for it.
class GrantTest : public testing::Test {
 protected:
  void SetUp() override {
    guest_ = fixture_.open_session();
    const Response attested = fixture_.attest(guest_);
    ASSERT_EQ(attested.status, 200) << audit_line(attested.audit);
    bearer_ = "Bearer " + json::parse(attested.body).at("token").get<std::string>();
  }
  BrokerState& state() { return fixture_.broker().state; }
  ReferenceEntry entry() { return *state().now()->reference.find_name("test-guest"); }
  Response by_cookie() { return fixture_.get_resource(guest_.cookie, kPath); }
  Response by_token() { return fixture_.get_resource("", kPath, bearer_); }

  BrokerFixture fixture_;
  TestGuest guest_;
  std::string bearer_;
};

TEST_F(GrantTest, BearsWhatTheEntryGivesNow) {
  ReferenceEntry rotated = entry();
  rotated.resources.insert_or_assign(kPath, secret_of("rotated"));
  snp::Measurement another;
  another.fill(0xb7);
  rotated.measurements.push_back(another);
  ASSERT_TRUE(state().put_entry(rotated));
  EXPECT_EQ(fixture_.open_jwe(by_cookie().body), "rotated");
  EXPECT_EQ(fixture_.open_jwe(by_token().body), "rotated");
}

struct Change {
  const char* name;
  void (*make)(ReferenceEntry&);
};

const Change kChanges[] = {
    {"Binding", [](ReferenceEntry& e) { e.binding = protocol::Binding::kbs_sha384; }},
    {"Roots",
     [](ReferenceEntry& e) {
       const auto amd = verify::TrustedRoots::amd().certificates();
       e.roots.assign(amd.begin(), amd.end());
     }},
    {"W1", [](ReferenceEntry& e) { e.w1_exposed = !e.w1_exposed; }},
    {"Debug", [](ReferenceEntry& e) { e.allow_debug = !e.allow_debug; }},
    {"Migration", [](ReferenceEntry& e) { e.allow_migration_agent = !e.allow_migration_agent; }},
    {"SingleSocket", [](ReferenceEntry& e) { e.require_single_socket = !e.require_single_socket; }},
    {"Smt", [](ReferenceEntry& e) { e.allow_smt = false; }},
    {"SmtAllowedInWords", [](ReferenceEntry& e) { e.allow_smt = true; }},
    {"Tcb", [](ReferenceEntry& e) { e.minimum_tcb = snp::Tcb{}; }},
    {"HostData", [](ReferenceEntry& e) { e.host_data = ByteArray<32>{}; }},
};

class GrantOfAChangedEntry : public GrantTest, public testing::WithParamInterface<Change> {};

TEST_P(GrantOfAChangedEntry, GivesNothing) {
  ReferenceEntry changed = entry();
  changed.resources.insert_or_assign(kPath, secret_of("for others"));
  GetParam().make(changed);
  ASSERT_TRUE(state().put_entry(changed));
  for (const Response& response : {by_cookie(), by_token()}) {
    EXPECT_EQ(response.status, 401);
    ASSERT_TRUE(response.audit.refusal);
    EXPECT_EQ(response.audit.refusal->code, Errc::measurement_unknown);
    EXPECT_EQ(response.audit.refusal->expected, "the entry that the guest was judged by, as it was then");
  }
}
INSTANTIATE_TEST_SUITE_P(Grant, GrantOfAChangedEntry, testing::ValuesIn(kChanges),
                         [](const auto& each) { return each.param.name; });

TEST_F(GrantTest, IsNotThatOfAnEntryOfAnotherName) {
  ReferenceEntry heir = entry();
  heir.name = "heir";
  ASSERT_TRUE(state().remove_entry("test-guest"));
  ASSERT_TRUE(state().put_entry(heir));
  EXPECT_EQ(by_cookie().status, 401);
  EXPECT_EQ(by_token().status, 401);
}

TEST_F(GrantTest, OfATokenEndsWithTheIssuersGeneration) {
  ASSERT_EQ(by_token().status, 200);
  fixture_.broker().tokens.end_all();
  const Response ended = by_token();
  EXPECT_EQ(ended.status, 401);
  EXPECT_EQ(ended.audit.refusal->code, Errc::token_invalid);
  EXPECT_EQ(by_cookie().status, 200);
}

}  // namespace
}  // namespace attestbed::kbs
