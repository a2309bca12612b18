// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/posix/describe.h"
#include "sim/commands.h"

namespace attestbed::sim {
namespace {

TEST(SnpSimReports, AreTheSameForTheSameSeedAndCoverWhatTheySay) {
  const std::string root = testing::TempDir() + "attestbed-reports-" + std::to_string(getpid());
  const auto read = [](const std::string& path) {
    return posix::read_file(path, 1 << 20).has_value() ? *posix::read_file(path, 1 << 20) : std::string();
  };
  ASSERT_EQ(run_reports({.out = root + "/a", .count = 9, .seed = 7}), 0);
  ASSERT_EQ(run_reports({.out = root + "/b", .count = 9, .seed = 7}), 0);
  const std::string index = read(root + "/a/index.jsonl");
  EXPECT_EQ(index, read(root + "/b/index.jsonl"));
  EXPECT_EQ(std::count(index.begin(), index.end(), '\n'), 9);
  for (int number = 0; number < 9; ++number) {
    const std::string name = "/000" + std::to_string(number) + ".bin";
    const std::string octets = read(root + "/a" + name);
    EXPECT_EQ(octets, read(root + "/b" + name));
    const auto report = snp::parse_report(bytes_of(octets));
    ASSERT_TRUE(report) << name;
    constexpr std::uint32_t kVersions[] = {2, 2, 2, 3, 3, 3, 5, 5, 5};
    EXPECT_EQ(report->version, kVersions[number]);
  }
  std::filesystem::remove_all(root);
}

TEST(SnpSimReports, VaryTheFirmwaresVersions) {
  const std::string root = testing::TempDir() + "attestbed-versions-" + std::to_string(getpid());
  constexpr std::uint32_t kCount = 36;
  ASSERT_EQ(run_reports({.out = root, .count = kCount, .seed = 3}), 0);
  std::set<std::vector<int>> seen;
  std::size_t newer_build = 0, newer_minor = 0, equal = 0;
  for (std::uint32_t number = 0; number < kCount; ++number) {
    const std::string name = root + (number < 10 ? "/000" : "/00") + std::to_string(number) + ".bin";
    const auto report = snp::parse_report(bytes_of(*posix::read_file(name, 1 << 20)));
    ASSERT_TRUE(report) << name;
    const auto parts = [](const snp::FirmwareVersion& version) {
      return std::vector<int>{version.major, version.minor, version.build};
    };
    const std::vector<int> committed = parts(report->committed), current = parts(report->current);
    EXPECT_LE(committed, current) << name;
    seen.insert(committed);
    equal += committed == current ? 1 : 0;
    newer_minor += committed[1] < current[1] ? 1 : 0;
    newer_build += committed[1] == current[1] && committed[2] < current[2] ? 1 : 0;
  }
  EXPECT_GT(seen.size(), 20U);
  EXPECT_TRUE(equal > 0 && newer_minor > 0 && newer_build > 0) << equal << newer_minor << newer_build;
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace attestbed::sim
