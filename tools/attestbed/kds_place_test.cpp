// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/kds_place.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

// The form of the addresses is KDS's (57230), the levels those of a report made here.
TEST(KdsPlace, NamesChipAndReportedTcb) {
  snp::RawReport report{};
  report.version = 3;
  report.cpuid_family = 0x19;
  report.cpuid_model = 0x11;
  report.chip_id.fill(0xab);
  report.reported_tcb = {10, 1, 0, 0, 0, 0, 25, 84};
  std::string chip;
  for (int i = 0; i < 64; ++i) chip += "ab";
  EXPECT_EQ(kds_place(report),
            "https://kdsintf.amd.com/vcek/v1/Genoa/" + chip + "?blSPL=10&teeSPL=1&snpSPL=25&ucodeSPL=84");
  report.cpuid_family = 0x1a;
  report.cpuid_model = 0x02;
  report.reported_tcb = {1, 2, 3, 4, 0, 0, 0, 71};
  EXPECT_EQ(kds_place(report),
            "https://kdsintf.amd.com/vcek/v1/Turin/abababababababab?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=71");
}

TEST(KdsPlace, SaysWhatItDoesNotKnow) {
  snp::RawReport report{};
  report.version = 2;
  EXPECT_NE(kds_place(report).find("<chip id>"), std::string::npos) << "masked";
  EXPECT_NE(kds_place(std::nullopt).find("<product>"), std::string::npos);
  report.chip_id.fill(1);
  EXPECT_NE(kds_place(report).find("<Milan or Genoa>"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::tools
