// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/fetch_commands.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

const FetchFrom kAmd{}, kSimulated{.simulated = true}, kOwn{.kds = "http://127.0.0.1:8088"},
    kOwnSimulated{.kds = "http://127.0.0.1:8088", .simulated = true};

snp::RawReport genoa_report() {
  snp::RawReport report{};
  report.version = 3;
  report.cpuid_family = 0x19;
  report.cpuid_model = 0x11;
  report.chip_id.fill(0xab);
  report.reported_tcb = {10, 1, 0, 0, 0, 0, 25, 84};
  return report;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The form of the addresses is KDS's (57230), the levels those of a report made here.
TEST(FetchVcek, NamesChipAndReportedTcb) {
  snp::RawReport report = genoa_report();
  std::string chip;
  for (int i = 0; i < 64; ++i) chip += "ab";
  EXPECT_EQ(fetch_vcek_command(kAmd, report),
            "curl -f -o vcek.der 'https://kdsintf.amd.com/vcek/v1/Genoa/" + chip +
                "?blSPL=10&teeSPL=01&snpSPL=25&ucodeSPL=84'   # then name vcek.der with --certs");
  report.cpuid_family = 0x1a;
  report.cpuid_model = 0x02;
  report.chip_id = {0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab};
  report.reported_tcb = {1, 2, 3, 4, 0, 0, 0, 71};
  EXPECT_EQ(fetch_vcek_command(kAmd, report),
            "curl -f -o vcek.der 'https://kdsintf.amd.com/vcek/v1/Turin/abababababababab?fmcSPL=01&blSPL=02&teeSPL=03&"
            "snpSPL=04&ucodeSPL=71'   # then name vcek.der with --certs");
}

TEST(FetchVcek, TriesBothProductsWhereVersion2DoesNotSayWhich) {
  snp::RawReport report{};
  report.version = 2;
  report.chip_id.fill(1);
  const std::string command = fetch_vcek_command(kAmd, report);
  const std::size_t milan = command.find("/Milan/"), genoa = command.find(" || curl");
  ASSERT_NE(milan, std::string::npos) << command;
  ASSERT_NE(genoa, std::string::npos) << command;
  EXPECT_NE(command.find("/Genoa/", genoa), std::string::npos) << command;
}

TEST(FetchVcek, SaysWhatItDoesNotKnow) {
  snp::RawReport report{};
  report.version = 2;
  EXPECT_NE(fetch_vcek_command(kAmd, report).find("<chip id>"), std::string::npos) << "masked";
  EXPECT_NE(fetch_vcek_command(kAmd, std::nullopt).find("<product>"), std::string::npos);
  report.chip_id.fill(1);
  report.key_flags = 1U << 2;
  EXPECT_NE(fetch_vcek_command(kAmd, report).find("ask the machine's provider"), std::string::npos);
  EXPECT_EQ(fetch_crl_command(kAmd, std::nullopt), "");
}

// AMD has never heard of a simulated chip.
TEST(FetchVcek, OfASimulatedChipNamesItsDirectory) {
  snp::RawReport report = genoa_report();
  for (const std::uint32_t key_flags : {0U, 1U << 2}) {
    report.key_flags = key_flags;
    const std::string command = fetch_vcek_command(kSimulated, report);
    EXPECT_TRUE(contains(command, "`snp-sim certs`") && contains(command, "--certs")) << command;
    EXPECT_FALSE(contains(command, "amd") || contains(command, "provider")) << command;
    EXPECT_EQ(contains(command, "vlek/"), key_flags != 0) << command;
  }
  report.key_flags = 0;
  EXPECT_TRUE(contains(fetch_vcek_command(kSimulated, report), "snp-sim kds --listen"));
}

TEST(FetchVcek, AsksTheKdsThatWasNamed) {
  for (const FetchFrom& from : {kOwn, kOwnSimulated}) {
    const std::string command = fetch_vcek_command(from, genoa_report());
    EXPECT_TRUE(command.starts_with("curl -f -o vcek.der 'http://127.0.0.1:8088/vcek/v1/Genoa/abab")) << command;
  }
  EXPECT_EQ(
      fetch_vcek_command({.kds = "https://k/it's"}, std::nullopt),
      "curl -f -o vcek.der 'https://k/it'\\''s/vcek/v1/<product>/<chip id>?<TCB>'   # then name vcek.der with --certs");
}

TEST(TryKds, AsksForTheChainOfTheReportsProduct) {
  snp::RawReport report = genoa_report();
  EXPECT_TRUE(try_kds_command(kAmd, report).starts_with("curl https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain "));
  report.cpuid_family = 0x1a;
  report.cpuid_model = 0x02;
  EXPECT_TRUE(try_kds_command(kOwn, report).starts_with("curl http://127.0.0.1:8088/vcek/v1/Turin/cert_chain "));
  report.version = 2;  // and the rest says nothing
  EXPECT_TRUE(contains(try_kds_command(kAmd, report), "/<product>/"));
}

TEST(KdsOptions, AreThoseOfWhoHasTheChip) {
  EXPECT_EQ(kds_options(kAmd), "--kds amd");
  EXPECT_EQ(kds_options(kOwn), "--kds http://127.0.0.1:8088");
  EXPECT_TRUE(contains(kds_options(kSimulated), "snp-sim kds"));
  EXPECT_TRUE(contains(another_kds(kOwn), "--kds amd"));
  for (const FetchFrom& from : {kSimulated, kOwnSimulated}) {
    EXPECT_TRUE(contains(another_kds(from), "snp-sim kds")) << another_kds(from);
    EXPECT_FALSE(contains(another_kds(from), "amd"));
  }
}

}  // namespace
}  // namespace attestbed::tools
