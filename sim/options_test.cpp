// SPDX-License-Identifier: Apache-2.0
#include "sim/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/commands.h"
#include "sim/guest_image.h"

namespace attestbed::sim {
namespace {

std::variant<Command, int> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "snp-sim");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_command_line(static_cast<int>(argv.size()), argv.data(), "1.2.3");
}

template <class Options>
Options parsed(const std::vector<std::string>& words) {
  const auto result = parse(words);
  const auto* command = std::get_if<Command>(&result);
  const auto* options = command == nullptr ? nullptr : std::get_if<Options>(command);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

TEST(SnpSimOptions, ReadsEveryFlagOfServe) {
  const auto options = parsed<ServeOptions>({"serve",          "--unix",  "/s",           "--force",
                                             "--ca",           "/ca",     "--product",    "genoa",
                                             "--image",        "x",       "--policy",     "0xb0000",
                                             "--host-data",    "0102",    "--seed",       "18446744073709551615",
                                             "--fault",        "1+:busy", "--fault",      "2:flip_bit:7",
                                             "--idle-timeout", "9",       "--max-guests", "3"});
  EXPECT_EQ(options.unix_path, "/s");
  EXPECT_TRUE(options.force);
  EXPECT_EQ(options.machine.ca_directory, "/ca");
  EXPECT_EQ(options.machine.product, snp::Product::genoa);
  EXPECT_EQ(options.guest.image, "x");
  EXPECT_EQ(options.guest.policy, 0xb0000U);
  EXPECT_EQ(options.guest.host_data, (HostData{1, 2}));
  EXPECT_EQ(options.guest.seed, 18446744073709551615U);
  EXPECT_EQ(options.faults, (std::vector<std::string>{"1+:busy", "2:flip_bit:7"}));
  EXPECT_EQ(options.idle_seconds, 9U);
  EXPECT_EQ(options.max_guests, 3U);
}

TEST(SnpSimOptions, ReadsEveryFlagOfCertsAndReport) {
  const auto certs = parsed<CertsOptions>(
      {"certs", "--out", "o", "--product", "Genoa", "--seed", "7", "--not-before", "2030-01-02T03:04:05Z"});
  EXPECT_EQ(certs.out, "o");
  EXPECT_EQ(certs.product, snp::Product::genoa);
  EXPECT_EQ(certs.seed, 7U);
  EXPECT_EQ(certs.not_before->time_since_epoch().count(), 1893553445);  // date -u -d 2030-01-02T03:04:05Z +%s
  const auto report =
      parsed<ReportOptions>({"report", "--out", "r", "--report-data", "ff", "--vmpl", "2", "--version", "3"});
  EXPECT_EQ(report.out, "r");
  EXPECT_EQ(report.report_data, snp::ReportData{0xff});
  EXPECT_EQ(report.vmpl, 2U);
}

TEST(SnpSimOptions, RefusesWhatCannotBeUsedWithStatusTwo) {
  const std::vector<std::string> kBad[] = {
      {},
      {"bogus"},
      {"serve"},
      {"serve", "--unix", "/s", "--product", "Turin"},
      {"serve", "--unix", "/s", "--policy", "30000g"},
      {"serve", "--unix", "/s", "--policy", "10000000000000000"},
      {"serve", "--unix", "/s", "--policy", ""},
      {"serve", "--unix", "/s", "--host-data", "0"},
      {"serve", "--unix", "/s", "--host-data", std::string(66, '0')},
      {"serve", "--unix", "/s", "--seed", "-1"},
      {"serve", "--unix", "/s", "--seed", "x"},
      {"serve", "--unix", "/s", "--fault", "busy"},
      {"serve", "--unix", "/s", "--idle-timeout", "0"},
      {"serve", "--unix", "/s", "--max-guests", "0"},
      {"serve", "--unix", "/s", "extra"},
      {"certs"},
      {"certs", "--out", "o", "--not-before", "2030-01-02"},
      {"report"},
      {"report", "--out", "r", "--report-data", std::string(130, '0')},
      {"report", "--out", "r", "--vmpl", "4"},
      {"report", "--out", "r", "--vmpl", "-1"},
      {"report", "--out", "r", "--version", "5"},
      {"measurement", "--out", "r"},
  };
  for (const auto& words : kBad) {
    const auto result = parse(words);
    const int* status = std::get_if<int>(&result);
    ASSERT_NE(status, nullptr) << testing::PrintToString(words);
    EXPECT_EQ(*status, 2) << testing::PrintToString(words);
  }
}

TEST(SnpSimOptions, HelpAndVersionAreNoErrors) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                {"--version"},
                                                {"serve", "--help"},
                                                {"certs", "--help"},
                                                {"report", "--help"}}) {
    const auto result = parse(words);
    const int* status = std::get_if<int>(&result);
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(*status, 0);
  }
}

TEST(SnpSimPrepare, RefusesAForeignProductAndAMissingDirectory) {
  const auto missing = prepare({.ca_directory = "/nonexistent", .product = {}}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::io_failed);
  EXPECT_EQ(fail(missing.error()), 3);

  const std::string directory = testing::TempDir() + "attestbed-prepare-" + std::to_string(getpid());
  ASSERT_TRUE(CertificateAuthority::of_default_seed(snp::Product::genoa)->save(directory));
  const auto foreign = prepare({.ca_directory = directory, .product = snp::Product::milan}, {});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::bad_config);
  EXPECT_EQ(fail(foreign.error()), 2);
  EXPECT_TRUE(prepare({.ca_directory = directory, .product = snp::Product::genoa}, {}));
}

TEST(SnpSimPrepare, TheMeasurementIsTheImagesOwn) {
  const auto config = prepare({}, {});
  ASSERT_TRUE(config);
  const auto guest = launch_guest(*config, 1);
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->measurement, *measure(*synthetic_image(GuestOptions{}.image)));
}

}  // namespace
}  // namespace attestbed::sim
