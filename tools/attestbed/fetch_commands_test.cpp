// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/fetch_commands.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

// The form of the addresses is KDS's (57230), the levels those of a report made here.
TEST(FetchVcek, NamesChipAndReportedTcb) {
  snp::RawReport report{};
  report.version = 3;
  report.cpuid_family = 0x19;
  report.cpuid_model = 0x11;
  report.chip_id.fill(0xab);
  report.reported_tcb = {10, 1, 0, 0, 0, 0, 25, 84};
  std::string chip;
  for (int i = 0; i < 64; ++i) chip += "ab";
  EXPECT_EQ(fetch_vcek_command(report),
            "curl -f -o vcek.der 'https://kdsintf.amd.com/vcek/v1/Genoa/" + chip +
                "?blSPL=10&teeSPL=01&snpSPL=25&ucodeSPL=84'   # then name vcek.der with --certs");
  report.cpuid_family = 0x1a;
  report.cpuid_model = 0x02;
  report.chip_id = {0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab};
  report.reported_tcb = {1, 2, 3, 4, 0, 0, 0, 71};
  EXPECT_EQ(fetch_vcek_command(report),
            "curl -f -o vcek.der 'https://kdsintf.amd.com/vcek/v1/Turin/abababababababab?fmcSPL=01&blSPL=02&teeSPL=03&"
            "snpSPL=04&ucodeSPL=71'   # then name vcek.der with --certs");
}

TEST(FetchVcek, TriesBothProductsWhereVersion2DoesNotSayWhich) {
  snp::RawReport report{};
  report.version = 2;
  report.chip_id.fill(1);
  const std::string command = fetch_vcek_command(report);
  const std::size_t milan = command.find("/Milan/"), genoa = command.find(" || curl");
  ASSERT_NE(milan, std::string::npos) << command;
  ASSERT_NE(genoa, std::string::npos) << command;
  EXPECT_NE(command.find("/Genoa/", genoa), std::string::npos) << command;
}

TEST(FetchVcek, SaysWhatItDoesNotKnow) {
  snp::RawReport report{};
  report.version = 2;
  EXPECT_NE(fetch_vcek_command(report).find("<chip id>"), std::string::npos) << "masked";
  EXPECT_NE(fetch_vcek_command(std::nullopt).find("<product>"), std::string::npos);
  report.chip_id.fill(1);
  report.key_flags = 1U << 2;
  EXPECT_NE(fetch_vcek_command(report).find("ask the machine's provider"), std::string::npos);
  EXPECT_EQ(fetch_crl_command(std::nullopt), "");
}

}  // namespace
}  // namespace attestbed::tools
