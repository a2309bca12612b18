// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/path.h"

#include <gtest/gtest.h>

namespace attestbed::sim {
namespace {

using What = KdsAsk::What;

const std::string kLongId(128, 'a');
const std::string kMilan = "/vcek/v1/Milan/" + kLongId + "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219";

TEST(KdsPath, ReadsWhatPublishedClientsAskFor) {
  // snpguest pads to two digits, go-sev-guest does not.
  const snp::Tcb tcb{.fmc = 0, .boot_loader = 4, .tee = 0, .snp = 24, .microcode = 219};
  const KdsAsk expected{What::vcek, VekLine::vcek, snp::Product::milan, std::vector<std::uint8_t>(64, 0xaa), tcb};
  for (const char* query : {"blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219", "blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219",
                            "ucodeSPL=219&snpSPL=024&teeSPL=000&blSPL=004"}) {
    EXPECT_EQ(parse_kds_target("/vcek/v1/Milan/" + kLongId + "?" + query), expected) << query;
  }
  const auto turin =
      parse_kds_target("/vcek/v1/Turin/0123456789abcdef?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=255");
  ASSERT_TRUE(turin);
  EXPECT_EQ(turin->hardware_id, (std::vector<std::uint8_t>{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}));
  EXPECT_EQ(turin->tcb, (snp::Tcb{.fmc = 1, .boot_loader = 2, .tee = 3, .snp = 4, .microcode = 255}));
  EXPECT_EQ(parse_kds_target("/vlek/v1/Genoa/crl")->what, What::crl);
  EXPECT_EQ(parse_kds_target("/vcek/v1/Genoa/cert_chain")->what, What::cert_chain);
  EXPECT_EQ(parse_kds_target("/vlek/v1/Genoa/cert?blSPL=1")->what, What::vlek);
}

TEST(KdsPath, HasNothingElse) {
  const std::string query = "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219";
  const std::string turin_query = "?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=5";
  const std::string wrong[] = {
      "",
      "/",
      "/vcek/v1/Milan",
      "/vcek/v1/Milan/",
      "/vcek/v2/Milan/crl",
      "/vcek/v1/milan/crl",
      "/vcek/v1/Bergamo/crl",
      "/vcek/v1/Milan/crl/",
      "/vcek/v1/Milan/crl?x=1",
      "/vcek/v1/Milan/cert",
      "//vcek/v1/Milan/crl",
      "/vcek/v1/Milan/" + kLongId,
      "/vcek/v1/Milan/" + kLongId.substr(1) + query,
      "/vcek/v1/Milan/" + kLongId + "a" + query,
      "/vcek/v1/Milan/" + std::string(128, 'A') + query,
      "/vcek/v1/Milan/" + std::string(128, 'g') + query,
      "/vcek/v1/Milan/" + std::string(16, 'a') + query,
      "/vcek/v1/Turin/" + kLongId + turin_query,
      "/vcek/v1/Turin/" + std::string(16, 'a') + query,
      "/vcek/v1/Milan/" + kLongId + turin_query,
      "/vcek/v1/Milan/" + kLongId + "?blSPL=04&teeSPL=00&snpSPL=24",
      kMilan + "&",
      kMilan + "&blSPL=04",
      kMilan + "&spl5=0",
      kMilan + "9",
      "/vcek/v1/Milan/" + kLongId + "?blSPL=&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?blSPL&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?blSPL=-4&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?blSPL=0x4&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?blSPL=256&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?blSPL=0004&teeSPL=00&snpSPL=24&ucodeSPL=219",
      "/vcek/v1/Milan/" + kLongId + "?BLSPL=4&teeSPL=00&snpSPL=24&ucodeSPL=219",
      kMilan + std::string(kMaxKdsTargetBytes, '0'),
  };
  ASSERT_TRUE(parse_kds_target(kMilan));
  for (const std::string& target : wrong) EXPECT_FALSE(parse_kds_target(target)) << target;
}

}  // namespace
}  // namespace attestbed::sim
