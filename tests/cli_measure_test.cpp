// SPDX-License-Identifier: Apache-2.0
// `attestbed measure` as people run it: the program, its output, its exit code.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/command_line.h"

namespace attestbed {
namespace {

using nlohmann::json;
using tests::contains;
using tests::Ran;

const std::string kPages = tests::kSource + "/sim/testdata/reference-pages.txt";
// By sev-snp-measure 0.0.13; and the same octets by base64(1).
const std::string kDigest =
    "cc8236f527dbb518d948e7de0ed0665679970cc320bf0e40f2188e7add456ae346c4d8ecc8404ef50eec0ee7b97ffebc";
const std::string kBase64 = "zII29SfbtRjZSOfeDtBmVnmXDMMgvw5A8hiOet1FauNGxNjsyEBO9Q7sDue5f/68";

Ran measure(const std::string& arguments) {
  return tests::attestbed("measure " + arguments);
}

TEST(CliMeasure, PrintsTheReferenceInThreeForms) {
  EXPECT_EQ(measure("--pages " + kPages).out, kDigest + "\n");
  EXPECT_EQ(measure("--pages " + kPages + " --format base64").out, kBase64 + "\n");
  const Ran ran = measure("--pages " + kPages + " --json");
  EXPECT_EQ(ran.exit_code, 0);
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown.at("measurement"), kDigest);
  EXPECT_EQ(shown.at("base64"), kBase64);
  EXPECT_EQ(shown.at("pages"), 8);
  EXPECT_FALSE(shown.contains("steps"));
}

TEST(CliMeasure, ShowsTheDigestAfterEachPage) {
  const json steps = json::parse(measure("--pages " + kPages + " --json --steps").out).at("steps");
  ASSERT_EQ(steps.size(), 8U);
  EXPECT_EQ(steps[0].at("type"), "normal");
  EXPECT_EQ(steps[0].at("gpa"), "0x0000ffc00000");
  EXPECT_TRUE(contains(steps[0].at("digest"), "dd2077f729b141fc30a417c61bc7bd7b"));
  EXPECT_EQ(steps[2].at("gpa"), "0x000000801000");
  EXPECT_TRUE(contains(steps[2].at("digest"), "4103a60c878f96baf83f7f2319345a75"));
  EXPECT_EQ(steps[7].at("digest"), kDigest);
  const std::string text = measure("--pages " + kPages + " --steps").out;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
  EXPECT_TRUE(text.starts_with("normal     0x0000ffc00000 dd2077f7")) << text;
  EXPECT_TRUE(text.ends_with("\n" + kDigest + "\n")) << text;
}

TEST(CliMeasure, RefusesACommandLineThatMeansNothing) {
  struct Case {
    const char* arguments;
    const char* text;
  };
  const Case kCases[] = {
      {"", "--pages, --ovmf or --igvm"},
      {"--pages a --ovmf b", "--ovmf"},
      {"--pages a --vcpus 2", "--ovmf"},
      {"--ovmf a --initrd b", "--kernel"},
      {"--ovmf a --vcpus 0", "--vcpus"},
      {"--ovmf a --vcpus 4097", "--vcpus"},
      {"--ovmf a --vcpu-type Pentium", "expected one of EPYC, "},
      {"--ovmf a --vmm-type xen", "expected one of QEMU, ec2, gce"},
      {"--ovmf a --vcpu-sig 1 --vcpu-type EPYC", "--vcpu-"},
      {"--pages a --format xml", "--format"},
  };
  for (const Case& c : kCases) {
    const Ran ran = measure(c.arguments);
    EXPECT_EQ(ran.exit_code, 2) << c.arguments << ": " << ran.err;
    EXPECT_TRUE(contains(ran.err, c.text)) << c.arguments << ": " << ran.err;
    EXPECT_EQ(ran.out, "") << c.arguments;
  }
}

}  // namespace
}  // namespace attestbed
