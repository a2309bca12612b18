// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/explain_causes.h"

#include <gtest/gtest.h>

#include "core/verify/verify.h"

namespace attestbed::tools {
namespace {

const NextPlaces kPlaces{.report = "r.bin",
                         .certs = "c d",
                         .root = "a.pem",
                         .policy = "p.toml",
                         .fetch_vcek = "curl 'https://k/v?x'",
                         .fetch_crl = "curl 'https://k/crl'",
                         .try_kds = "curl https://k/chain",
                         .kds_options = "--kds https://k",
                         .another_kds = "ask another"};

void expect_cause(const char* check, Errc code) {
  const Cause* const cause = cause_of(check, code);
  ASSERT_NE(cause, nullptr) << check << " can fail with " << error_name(code);
  EXPECT_GT(std::string_view(cause->cause).size(), 10u) << check;
  const std::string next = filled_in(cause->next, kPlaces);
  EXPECT_GT(next.size(), 10u) << check;
  EXPECT_EQ(next.find('{'), std::string::npos) << next;
}

TEST(Causes, EveryCheckThatCanFailHasOne) {
  for (const verify::VerificationCheck& check : verify::verification_checks()) {
    ASSERT_FALSE(check.codes.empty()) << check.name;
    for (const Errc code : check.codes) expect_cause(check.name, code);
  }
  for (const verify::PolicyCheck& check : verify::policy_checks()) expect_cause(check.name, check.code);
  EXPECT_EQ(cause_of("measurement", Errc::chain_expired), nullptr);
}

// What Client::fetch, complete_endorsements and fetch_crl document.
TEST(Causes, EveryCodeOfAKdsHasOneForTheChecksThatFetch) {
  for (const char* check : {"selection", "revocation"}) {
    for (const Errc code :
         {Errc::kds_offline, Errc::kds_unknown, Errc::kds_busy, Errc::kds_failed, Errc::kds_unreachable,
          Errc::kds_untrusted, Errc::kds_timeout, Errc::kds_malformed, Errc::internal}) {
      expect_cause(check, code);
    }
  }
  for (const Errc code : {Errc::kds_chip_masked, Errc::bad_length, Errc::certificate_malformed}) {
    expect_cause("selection", code);
  }
  expect_cause("revocation", Errc::crl_malformed);
}

TEST(Causes, AKdsThatFailsIsNoneThatThrottles) {
  EXPECT_NE(std::string_view(cause_of("selection", Errc::kds_busy)->cause).find("throttles"), std::string_view::npos);
  EXPECT_EQ(std::string_view(cause_of("selection", Errc::kds_failed)->cause).find("throttles"), std::string_view::npos);
}

TEST(Causes, FillInThePlacesOfTheRun) {
  EXPECT_EQ(filled_in("show {report} {certs} {root} {policy} {fetch vcek} {fetch crl} {other", kPlaces),
            "show r.bin c d a.pem p.toml curl 'https://k/v?x' curl 'https://k/crl' {other");
  EXPECT_EQ(filled_in("{try kds} {kds options} {another kds}", kPlaces),
            "curl https://k/chain --kds https://k ask another");
}

TEST(Causes, QuoteForAShell) {
  EXPECT_EQ(shell_words({"out/ca", "a b.der", "it's", "", "$(x)"}), R"(out/ca 'a b.der' 'it'\''s' '' '$(x)')");
}

}  // namespace
}  // namespace attestbed::tools
