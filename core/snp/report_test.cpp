// SPDX-License-Identifier: Apache-2.0
#include "core/snp/report.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "core/posix/describe.h"

namespace attestbed::snp {
namespace {

// A real report of a public machine; core/verify/testdata says where it is from.
std::string real(const char* name) {
  const auto octets =
      posix::read_file(std::string(ATTESTBED_SOURCE_DIR "/core/verify/testdata/reports/") + name, kReportBytes);
  EXPECT_TRUE(octets) << name;
  return octets ? *octets : std::string();
}

// Values read off the samples by their publishers' own tools and stated in their descriptions, not by this parser.
TEST(Report, ReadsRealReportsAtTheirDocumentedOffsets) {
  const std::string genoa_octets = real("v5-genoa.bin");
  const auto genoa = parse_report(bytes_of(genoa_octets));
  ASSERT_TRUE(genoa);
  EXPECT_EQ(genoa->version, 5U);
  EXPECT_EQ(genoa->cpuid_family, 0x19);
  EXPECT_EQ(genoa->cpuid_model, 0x11);
  EXPECT_EQ(genoa->launch_mit_vector, 1U);
  EXPECT_EQ(genoa->current_mit_vector, 1U);
  EXPECT_EQ(genoa->current.major, 1);
  EXPECT_EQ(genoa->current.minor, 55);
  EXPECT_EQ(genoa->current.build, 43);
  EXPECT_EQ(decode_tcb(Product::genoa, genoa->reported_tcb), (Tcb{0, 0x0a, 0, 0x19, 0x54}));

  const std::string turin_octets = real("v5-turin.bin");
  const auto turin = parse_report(bytes_of(turin_octets));
  ASSERT_TRUE(turin);
  EXPECT_EQ(turin->platform_info, 0x67U);
  EXPECT_EQ(*product_of(turin->cpuid_family, turin->cpuid_model), Product::turin);
  EXPECT_EQ(decode_tcb(Product::turin, turin->reported_tcb), (Tcb{0, 1, 0, 2, 0x47}));

  const std::string debug_octets = real("v2-milan-debug.bin");
  const auto debug = parse_report(bytes_of(debug_octets));
  ASSERT_TRUE(debug);
  EXPECT_EQ(debug->policy, 0xb0000U);
  EXPECT_NE(debug->policy & kPolicyDebug, 0U);

  const std::string vlek_octets = real("v3-milan-vlek.bin");
  const auto vlek = parse_report(bytes_of(vlek_octets));
  ASSERT_TRUE(vlek);
  EXPECT_EQ(signing_key_bits(vlek->key_flags), 1U);
  EXPECT_EQ(vlek->vmpl, 1U);
}

TEST(Report, OctetsComeBackAsTheyWere) {
  for (const char* name : {"v2-milan-debug.bin", "v2-milan-idblock.bin", "v2-milan-sevcrate.bin", "v3-milan.bin",
                           "v3-milan-vlek.bin", "v5-genoa.bin", "v5-turin.bin"}) {
    const std::string octets = real(name);
    const auto report = parse_report(bytes_of(octets));
    ASSERT_TRUE(report) << name;
    EXPECT_EQ(text_of(octets_of(*report)), octets) << name;
  }
}

TEST(Report, TcbIsTheSameInBothDirectionsForEveryProduct) {
  const TcbVersion milan{4, 0, 0, 0, 0, 0, 0x18, 0xdb};
  EXPECT_EQ(encode_tcb(Product::milan, decode_tcb(Product::milan, milan)), milan);
  const TcbVersion turin{7, 1, 2, 3, 0, 0, 0, 0x47};
  EXPECT_EQ(encode_tcb(Product::turin, decode_tcb(Product::turin, turin)), turin);
}

struct Mutation {
  const char* name;
  const char* report;
  std::size_t offset;
  std::uint8_t value;
  Errc code;
};
class ReportRejects : public testing::TestWithParam<Mutation> {};
TEST_P(ReportRejects, OneChangedOctet) {
  std::string octets = real(GetParam().report);
  octets[GetParam().offset] = static_cast<char>(GetParam().value);
  const auto report = parse_report(bytes_of(octets));
  ASSERT_FALSE(report);
  EXPECT_STREQ(error_name(report.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, ReportRejects,
    testing::Values(Mutation{"Version0", "v3-milan.bin", 0, 0, Errc::report_version},
                    Mutation{"Version1", "v3-milan.bin", 0, 1, Errc::report_version},
                    Mutation{"Version4", "v3-milan.bin", 0, 4, Errc::report_version},
                    Mutation{"Version6", "v5-genoa.bin", 0, 6, Errc::report_version},
                    Mutation{"VersionHighOctet", "v3-milan.bin", 3, 1, Errc::report_version},
                    Mutation{"PolicyBit17Clear", "v3-milan.bin", 0x0a, 0x01, Errc::report_policy_bits},
                    Mutation{"PolicyBit25InVersion2", "v2-milan-idblock.bin", 0x0b, 0x02, Errc::report_policy_bits},
                    Mutation{"PolicyBit25InVersion3", "v3-milan.bin", 0x0b, 0x02, Errc::report_policy_bits},
                    Mutation{"PolicyBit26InVersion5", "v5-genoa.bin", 0x0b, 0x04, Errc::report_policy_bits},
                    Mutation{"PolicyBit26", "v3-milan.bin", 0x0b, 0x04, Errc::report_policy_bits},
                    Mutation{"PolicyBit63", "v3-milan.bin", 0x0f, 0x80, Errc::report_policy_bits},
                    Mutation{"Vmpl4", "v3-milan.bin", 0x30, 4, Errc::report_reserved},
                    Mutation{"VmplTop", "v5-genoa.bin", 0x33, 0x80, Errc::report_reserved},
                    Mutation{"KeyFlagsBit5", "v3-milan.bin", 0x48, 0x20, Errc::report_reserved},
                    Mutation{"KeyFlagsTop", "v3-milan.bin", 0x4b, 0x80, Errc::report_reserved},
                    Mutation{"Reserved4c", "v3-milan.bin", 0x4c, 1, Errc::report_reserved},
                    Mutation{"CpuidInVersion2", "v2-milan-debug.bin", 0x188, 0x19, Errc::report_reserved},
                    Mutation{"Reserved18b", "v3-milan.bin", 0x18b, 1, Errc::report_reserved},
                    Mutation{"Reserved19f", "v5-genoa.bin", 0x19f, 1, Errc::report_reserved},
                    Mutation{"Reserved1eb", "v3-milan.bin", 0x1eb, 1, Errc::report_reserved},
                    Mutation{"Reserved1ef", "v3-milan.bin", 0x1ef, 1, Errc::report_reserved},
                    Mutation{"MitigationInVersion3", "v3-milan.bin", 0x1f8, 1, Errc::report_reserved},
                    Mutation{"MitigationEndInVersion3", "v3-milan.bin", 0x207, 1, Errc::report_reserved},
                    Mutation{"Reserved208", "v5-genoa.bin", 0x208, 1, Errc::report_reserved},
                    Mutation{"Reserved29f", "v5-genoa.bin", 0x29f, 1, Errc::report_reserved},
                    Mutation{"SignatureTail", "v3-milan.bin", 0x330, 1, Errc::report_reserved},
                    Mutation{"LastOctet", "v3-milan.bin", 0x49f, 1, Errc::report_reserved}),
    [](const auto& row) { return row.param.name; });

TEST(Report, EveryOtherLengthIsRefused) {
  const std::string octets = real("v3-milan.bin") + "x";
  for (std::size_t n = 0; n <= octets.size(); ++n) {
    if (n == kReportBytes) continue;
    const auto report = parse_report(bytes_of(octets).first(n));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::bad_length);
  }
}

std::string report_rsp() {
  return std::string(4, '\0') + std::string("\xa0\x04\0\0", 4) + std::string(24, '\0') + real("v3-milan.bin");
}
TEST(ReportRsp, YieldsTheReport) {
  const std::string rsp = report_rsp();
  const auto report = parse_report_rsp(bytes_of(rsp));
  ASSERT_TRUE(report);
  EXPECT_EQ(text_of(octets_of(*report)), real("v3-milan.bin"));
}
struct RspMutation {
  const char* name;
  std::size_t offset;
  std::uint8_t value;
  Errc code;
  std::uint64_t found;
};
class ReportRspRejects : public testing::TestWithParam<RspMutation> {};
TEST_P(ReportRspRejects, OneChangedOctet) {
  std::string rsp = report_rsp();
  rsp[GetParam().offset] = static_cast<char>(GetParam().value);
  const auto report = parse_report_rsp(bytes_of(rsp));
  ASSERT_FALSE(report);
  EXPECT_STREQ(error_name(report.error().code), error_name(GetParam().code));
  EXPECT_EQ(report.error().found, GetParam().found);
}
INSTANTIATE_TEST_SUITE_P(Table, ReportRspRejects,
                         testing::Values(RspMutation{"InvalidParam", 0, 0x16, Errc::firmware_status, 0x16},
                                         RspMutation{"InvalidKey", 0, 0x27, Errc::firmware_status, 0x27},
                                         RspMutation{"SizeOffByOne", 4, 0xa1, Errc::bad_length, 0x4a1},
                                         RspMutation{"ReservedFirst", 8, 1, Errc::reserved_set, 1},
                                         RspMutation{"ReservedLast", 0x1f, 0x80, Errc::reserved_set, 0x80}),
                         [](const auto& row) { return row.param.name; });
TEST(ReportRsp, RejectsEveryTruncationAndATrailingOctet) {
  const std::string rsp = report_rsp() + "x";
  for (std::size_t n = 0; n <= rsp.size(); ++n) {
    if (n == sizeof(MsgReportRsp)) continue;
    EXPECT_FALSE(parse_report_rsp(bytes_of(rsp).first(n))) << n;
  }
}

struct Model {
  std::uint8_t family, model;
  bool known;
  Product product;
};
TEST(Product, FollowsTheModelRanges) {
  for (const Model& row :
       {Model{0x19, 0x00, true, Product::milan}, Model{0x19, 0x0f, true, Product::milan},
        Model{0x19, 0x10, true, Product::genoa}, Model{0x19, 0x1f, true, Product::genoa}, Model{0x19, 0x20, false, {}},
        Model{0x19, 0x9f, false, {}}, Model{0x19, 0xa0, true, Product::genoa}, Model{0x19, 0xaf, true, Product::genoa},
        Model{0x19, 0xb0, false, {}}, Model{0x1a, 0x00, true, Product::turin}, Model{0x1a, 0x11, true, Product::turin},
        Model{0x1a, 0x12, false, {}}, Model{0x17, 0x31, false, {}}, Model{0, 0, false, {}}}) {
    const auto product = product_of(row.family, row.model);
    ASSERT_EQ(static_cast<bool>(product), row.known) << int(row.family) << " " << int(row.model);
    if (row.known)
      EXPECT_EQ(*product, row.product);
    else
      EXPECT_EQ(product.error().code, Errc::product_unknown);
  }
}

}  // namespace
}  // namespace attestbed::snp
