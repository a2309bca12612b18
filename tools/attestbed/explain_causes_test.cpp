// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/explain_causes.h"

#include <gtest/gtest.h>

#include "core/verify/verify.h"

namespace attestbed::tools {
namespace {

const NextPlaces kPlaces{
    .report = "r.bin", .certs = "c d", .root = "a.pem", .policy = "p.toml", .kds = "https://k/v?x"};

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

TEST(Causes, FillInThePlacesOfTheRun) {
  EXPECT_EQ(filled_in("show {report} {certs} {root} {policy} '{kds}' {other", kPlaces),
            "show r.bin c d a.pem p.toml 'https://k/v?x' {other");
}

TEST(Causes, QuoteForAShell) {
  EXPECT_EQ(shell_words({"out/ca", "a b.der", "it's", "", "$(x)"}), R"(out/ca 'a b.der' 'it'\''s' '' '$(x)')");
}

}  // namespace
}  // namespace attestbed::tools
