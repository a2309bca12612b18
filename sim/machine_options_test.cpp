// SPDX-License-Identifier: Apache-2.0
#include "sim/machine_options.h"

#include <gtest/gtest.h>

namespace attestbed::sim {
namespace {

/// parse_device returns what the words say, or CLI11's name for what is wrong with them.
std::variant<DeviceOptions, std::string> parse_device(std::vector<std::string> words) {
  CLI::App app;
  DeviceOptions options;
  add_device(&app, options);
  std::ranges::reverse(words);
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return error.get_name();
  }
  return options;
}

DeviceOptions parsed(const std::vector<std::string>& words) {
  const auto result = parse_device(words);
  const auto* options = std::get_if<DeviceOptions>(&result);
  EXPECT_NE(options, nullptr) << testing::PrintToString(words);
  return options == nullptr ? DeviceOptions{} : *options;
}

TEST(DeviceOptions, LeadToFirmwareElsewhere) {
  const DeviceOptions usual = parsed({"--line", "/dev/vport0p1"});
  EXPECT_EQ(usual.line, "/dev/vport0p1");
  EXPECT_FALSE(usual.inside);
  EXPECT_EQ(usual.name, "sev-guest");
  EXPECT_EQ(usual.vmpck, 0U);
  EXPECT_EQ(usual.wait_seconds, 30U);
  const DeviceOptions all = parsed({"--line", "/s", "--name", "sev-2_B", "--vmpck", "3", "--wait", "1"});
  EXPECT_EQ(all.name, "sev-2_B");
  EXPECT_EQ(all.vmpck, 3U);
  EXPECT_EQ(all.wait_seconds, 1U);
}

TEST(DeviceOptions, AreAMachineInside) {
  const DeviceOptions options = parsed({"--inside", "--product", "Genoa", "--report-version", "5", "--policy", "b0000",
                                        "--fault", "1+:busy", "--profile", "slow", "--no-certs"});
  EXPECT_TRUE(options.inside);
  EXPECT_EQ(options.machine.product, snp::Product::genoa);
  EXPECT_EQ(options.machine.report_version, 5U);
  EXPECT_EQ(options.guest.policy, 0xb0000U);
  EXPECT_EQ(options.host.faults, std::vector<std::string>{"1+:busy"});
  EXPECT_EQ(options.host.profile, "slow");
  EXPECT_FALSE(options.host.certificates);
}

TEST(DeviceOptions, RefuseWhatCannotBeUsed) {
  const std::vector<std::string> kBad[] = {
      {},
      {"--line", "/s", "--inside"},
      {"--line", ""},
      {"--line", "/s", "--product", "Genoa"},
      {"--line", "/s", "--report-version", "5"},
      {"--line", "/s", "--policy", "b0000"},
      {"--line", "/s", "--fault", "1:busy"},
      {"--line", "/s", "--no-certs"},
      {"--inside", "--name", ""},
      {"--inside", "--name", "../sda"},
      {"--inside", "--name", std::string(33, 'a')},
      {"--inside", "--vmpck", "4"},
      {"--inside", "--wait", "0"},
      {"--inside", "--fault", "busy"},
      {"--inside", "extra"},
  };
  for (const auto& words : kBad) {
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_device(words))) << testing::PrintToString(words);
  }
}

}  // namespace
}  // namespace attestbed::sim
