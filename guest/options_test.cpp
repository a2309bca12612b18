// SPDX-License-Identifier: Apache-2.0
#include "guest/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace attestbed::guest {
namespace {

struct Parsed {
  ParsedOptions options;
  std::string said;
};
Parsed parse(const std::vector<const char*>& more) {
  std::vector<const char*> words = {"attest-guest", "--unix", "@/p", "--firmware", "unix:@/f", "--secret-auth", "none"};
  words.insert(words.end(), more.begin(), more.end());
  testing::internal::CaptureStderr();
  ParsedOptions options = parse_options(static_cast<int>(words.size()), words.data());
  return {std::move(options), testing::internal::GetCapturedStderr()};
}

TEST(GuestOptions, TheDefaultTermsAreThoseOfAStockGuest) {
  const Parsed parsed = parse({});
  ASSERT_TRUE(parsed.options.options) << parsed.said;
  EXPECT_TRUE(parsed.options.options->config.terms.is_default());
}

TEST(GuestOptions, TakeEveryPairThatExists) {
  using protocol::Binding;
  using protocol::KeyType;
  const struct {
    const char *binding, *key;
    Binding binding_is;
    KeyType key_is;
  } pairs[] = {{"svsm-sha512", "P-521", Binding::svsm_sha512, KeyType::p521},
               {"kbs-sha384", "P-521", Binding::kbs_sha384, KeyType::p521},
               {"kbs-sha384", "P-256", Binding::kbs_sha384, KeyType::p256},
               {"kbs-sha384", "RSA-3072", Binding::kbs_sha384, KeyType::rsa3072}};
  for (const auto& pair : pairs) {
    const Parsed parsed = parse({"--binding", pair.binding, "--key", pair.key});
    ASSERT_TRUE(parsed.options.options) << parsed.said;
    EXPECT_EQ(parsed.options.options->config.terms.binding, pair.binding_is);
    EXPECT_EQ(parsed.options.options->config.terms.key, pair.key_is);
  }
}

struct Wrong {
  const char* name;
  std::vector<const char*> words;
  const char* says;
};
class GuestOptionsRefuse : public testing::TestWithParam<Wrong> {};
TEST_P(GuestOptionsRefuse, InOneLine) {
  const Parsed parsed = parse(GetParam().words);
  EXPECT_FALSE(parsed.options.options);
  EXPECT_EQ(parsed.options.exit, 2);
  EXPECT_NE(parsed.said.find(GetParam().says), std::string::npos) << parsed.said;
  EXPECT_EQ(std::count(parsed.said.begin(), parsed.said.end(), '\n'), 1) << parsed.said;
}
constexpr const char* kPairsThatExist = "svsm-sha512 with P-521, kbs-sha384 with P-521, P-256, RSA-3072";
INSTANTIATE_TEST_SUITE_P(
    Table, GuestOptionsRefuse,
    testing::Values(Wrong{"P256WithSvsm", {"--binding", "svsm-sha512", "--key", "P-256"}, kPairsThatExist},
                    Wrong{"RsaWithTheDefaultBinding", {"--key", "RSA-3072"}, kPairsThatExist},
                    Wrong{"UnknownBinding", {"--binding", "kbs-sha256"}, "--binding is svsm-sha512 or kbs-sha384"},
                    Wrong{"UnknownKey",
                          {"--binding", "kbs-sha384", "--key", "P-384"},
                          "--key is P-521, P-256 or RSA-3072, found 'P-384'"},
                    Wrong{"KeyInLowerCase", {"--key", "p-521"}, "--key is P-521"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace attestbed::guest
