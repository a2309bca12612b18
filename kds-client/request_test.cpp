// SPDX-License-Identifier: Apache-2.0
#include "kds-client/request.h"

#include <gtest/gtest.h>

#include "core/posix/describe.h"
#include "core/verify/verified_report.h"
#include "sim/kds/path.h"

namespace attestbed::kds {
namespace {

using snp::Product;

const std::string kTestdata = std::string(ATTESTBED_SOURCE_DIR) + "/core/verify/testdata/";

std::string read(const std::string& name) {
  const Result<std::string> file = posix::read_file(kTestdata + name, verify::kMaxPemBytes);
  EXPECT_TRUE(file) << name;
  return file ? *file : std::string();
}

// AMD's own reports and the certificates that its KDS gave for them.
Request sample_request(const std::string& name, Product product) {
  const auto report = verify::check_form(bytes_of(read("reports/" + name + ".bin")));
  return *Request::vcek(product, report->chip_id, snp::decode_tcb(product, report->reported_tcb));
}

TEST(Request, AsksAsAmdsKdsIsAsked) {
  snp::ChipId chip;
  chip.fill(0xab);
  std::string hex;
  for (int i = 0; i < 64; ++i) hex += "ab";
  EXPECT_EQ(Request::vcek(Product::milan, chip, {.fmc = 9, .boot_loader = 4, .tee = 0, .snp = 24, .microcode = 219})
                ->target(),
            "/vcek/v1/Milan/" + hex + "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219");
  snp::ChipId turin{1, 2, 3, 4, 5, 6, 7, 0xff};
  EXPECT_EQ(
      Request::vcek(Product::turin, turin, {.fmc = 1, .boot_loader = 2, .tee = 3, .snp = 4, .microcode = 71})->target(),
      "/vcek/v1/Turin/01020304050607ff?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=71");
  using enum Hierarchy;
  EXPECT_EQ(Request::cert_chain(Product::genoa, vcek).target(), "/vcek/v1/Genoa/cert_chain");
  EXPECT_EQ(Request::cert_chain(Product::turin, vlek).target(), "/vlek/v1/Turin/cert_chain");
  EXPECT_EQ(Request::crl(Product::milan, vcek).target(), "/vcek/v1/Milan/crl");
  EXPECT_EQ(Request::crl(Product::milan, vlek).target(), "/vlek/v1/Milan/crl");
}

TEST(Request, RefusesChipsThatNoKdsCanName) {
  EXPECT_EQ(Request::vcek(Product::milan, {}, {}).error().code, Errc::kds_chip_masked);
  EXPECT_EQ(Request::vcek(Product::turin, {}, {}).error().code, Errc::kds_chip_masked);
  snp::ChipId nine{1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(Request::vcek(Product::turin, nine, {}).error().code, Errc::bad_length);
}

// The server's reading of a target was written without the client's writing of it.
TEST(Request, IsReadByTheSimulatedKdsAsItWasMeant) {
  for (int i = 0; i < 256; ++i) {
    const auto level = static_cast<std::uint8_t>(i);
    const snp::Tcb tcb{.fmc = level,
                       .boot_loader = static_cast<std::uint8_t>(i * 3),
                       .tee = static_cast<std::uint8_t>(i * 5),
                       .snp = static_cast<std::uint8_t>(i * 7),
                       .microcode = static_cast<std::uint8_t>(255 - i)};
    const snp::ChipId turin{1, level};
    const auto ask = sim::parse_kds_target(Request::vcek(Product::turin, turin, tcb)->target());
    ASSERT_TRUE(ask);
    EXPECT_EQ(ask->tcb, tcb);
    EXPECT_EQ(ask->hardware_id, (std::vector<std::uint8_t>{1, level, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(ask->product, Product::turin);
  }
}

TEST(Request, AcceptsWhatAmdsKdsAnswered) {
  EXPECT_TRUE(sample_request("v3-milan", Product::milan).check_answer(bytes_of(read("certs/v3-milan.vcek.der")), "x"));
  EXPECT_TRUE(sample_request("v5-genoa", Product::genoa).check_answer(bytes_of(read("certs/v5-genoa.vcek.der")), "x"));
  EXPECT_TRUE(sample_request("v5-turin", Product::turin).check_answer(bytes_of(read("certs/v5-turin.vcek.der")), "x"));
  using enum Hierarchy;
  const struct {
    const char* file;
    Request request;
  } kChains[] = {{"ca/ask_ark_milan.pem", Request::cert_chain(Product::milan, vcek)},
                 {"ca/ask_ark_milan_vlek.pem", Request::cert_chain(Product::milan, vlek)},
                 {"ca/ask_ark_genoa.pem", Request::cert_chain(Product::genoa, vcek)},
                 {"ca/ask_ark_genoa_vlek.pem", Request::cert_chain(Product::genoa, vlek)},
                 {"ca/ask_ark_turin_vcek.pem", Request::cert_chain(Product::turin, vcek)},
                 {"ca/ask_ark_turin_vlek.pem", Request::cert_chain(Product::turin, vlek)}};
  for (const auto& own : kChains) {
    for (const auto& other : kChains) {
      EXPECT_EQ(own.request.check_answer(bytes_of(read(other.file)), "x").has_value(), own.file == other.file)
          << own.file << " " << other.file;
    }
  }
}

TEST(Request, RefusesOneOfAnother) {
  const Request milan = sample_request("v3-milan", Product::milan);
  for (const char* other : {"certs/v5-genoa.vcek.der", "certs/v5-turin.vcek.der", "certs/v2-milan-idblock.vcek.der",
                            "certs/v3-milan-vlek.vlek.der", "ca/ask_ark_milan.pem"}) {
    const auto judged = milan.check_answer(bytes_of(read(other)), "x");
    ASSERT_FALSE(judged) << other;
    EXPECT_EQ(judged.error().code, Errc::kds_malformed);
  }
}

TEST(Request, RefusesEveryTruncationAndAnyOctetBehind) {
  const Request milan = sample_request("v3-milan", Product::milan);
  const std::string der = read("certs/v3-milan.vcek.der");
  for (std::size_t n = 0; n < der.size(); ++n) ASSERT_FALSE(milan.check_answer(bytes_of(der).first(n), "x")) << n;
  EXPECT_FALSE(milan.check_answer(bytes_of(der + '\0'), "x"));

  const Request chain = Request::cert_chain(Product::milan, Hierarchy::vcek);
  const std::string pem = read("ca/ask_ark_milan.pem");
  const std::string end = "-----END CERTIFICATE-----";
  const std::size_t whole = pem.rfind(end) + end.size();
  for (std::size_t n = 0; n < whole; ++n) ASSERT_FALSE(chain.check_answer(bytes_of(pem).first(n), "x")) << n;
  const std::string third = pem.substr(pem.find("-----BEGIN", 10));
  EXPECT_FALSE(chain.check_answer(bytes_of(pem + third), "x"));
}

}  // namespace
}  // namespace attestbed::kds
