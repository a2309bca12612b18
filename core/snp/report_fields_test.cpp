// SPDX-License-Identifier: Apache-2.0
#include "core/snp/report_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "core/posix/describe.h"

namespace attestbed::snp {
namespace {

struct Sample {
  const char* name;
  Product product;
};
// Reports of public machines; core/verify/testdata says where they are from.
constexpr Sample kSamples[] = {{"v2-milan-debug", Product::milan},    {"v2-milan-idblock", Product::milan},
                               {"v2-milan-sevcrate", Product::milan}, {"v3-milan", Product::milan},
                               {"v3-milan-vlek", Product::milan},     {"v5-genoa", Product::genoa},
                               {"v5-turin", Product::turin}};

RawReport real(const char* name) {
  const std::string path = std::string(ATTESTBED_SOURCE_DIR "/core/verify/testdata/reports/") + name + ".bin";
  const auto octets = posix::read_file(path, kReportBytes);
  EXPECT_TRUE(octets) << name;
  const auto report = parse_report(bytes_of(*octets));
  EXPECT_TRUE(report) << name;
  return *report;
}

TEST(ReportFields, EverySampleReencodesByteIdentically) {
  for (const Sample& sample : kSamples) {
    const RawReport report = real(sample.name);
    const auto fields = decode_report(report, sample.product);
    ASSERT_TRUE(fields) << sample.name << fields.error().where;
    const auto again = encode_report(*fields, sample.product);
    ASSERT_TRUE(again) << sample.name << again.error().where;
    EXPECT_TRUE(std::ranges::equal(octets_of(*again), octets_of(report))) << sample.name;
  }
}

// What the samples' publishers and their tools say of them.
TEST(ReportFields, SaysWhatTheSamplesAreKnownToHold) {
  const auto debug = decode_report(real("v2-milan-debug"), Product::milan);
  EXPECT_EQ(debug->policy, 0xb0000U);
  EXPECT_EQ(debug->current, (BuildVersion{.build = 3, .minor = 49, .major = 1}));
  EXPECT_FALSE(debug->cpuid || debug->mitigation);
  const auto block = decode_report(real("v2-milan-idblock"), Product::milan);
  EXPECT_EQ(block->guest_svn, 4U);
  const auto vlek = decode_report(real("v3-milan-vlek"), Product::milan);
  EXPECT_EQ(vlek->signing_key, SigningKey::vlek);
  EXPECT_EQ(vlek->vmpl, 1U);
  EXPECT_EQ(vlek->reported_tcb.microcode, 0xd9);
  EXPECT_EQ(vlek->committed_tcb.microcode, 0xdb);
  EXPECT_EQ(vlek->current_tcb.microcode, 0xdc);
  EXPECT_EQ(vlek->chip_id, ChipId{});
  const auto genoa = decode_report(real("v5-genoa"), Product::genoa);
  EXPECT_EQ(genoa->mitigation, (MitigationVectors{1, 1}));
  EXPECT_EQ(genoa->cpuid, (Cpuid{0x19, 0x11, 0x01}));
  const auto turin = decode_report(real("v5-turin"), Product::turin);
  EXPECT_EQ(turin->reported_tcb, (Tcb{.fmc = 0, .boot_loader = 1, .tee = 0, .snp = 2, .microcode = 0x47}));
  EXPECT_EQ(turin->platform_info, 0x67U);
}

ReportFields plain(std::uint32_t version) {
  ReportFields fields;
  fields.version = version;
  fields.policy = 0x30000;
  if (version >= 3) fields.cpuid = Cpuid{};
  if (version >= 5) fields.mitigation = MitigationVectors{};
  return fields;
}

struct Place {
  std::size_t offset;
  std::function<void(ReportFields&)> set;
  std::string octets;
};

// Offsets and octet order are those of the structure ATTESTATION_REPORT, not this encoder's.
TEST(ReportFields, EachFieldHasItsPlace) {
  const auto first = [](auto& field) { field[0] = 0xab; };
  const Place kPlaces[] = {
      {0x004, [](ReportFields& f) { f.guest_svn = 0x04030201; }, "\x01\x02\x03\x04"},
      {0x008, [](ReportFields& f) { f.policy = 0x30000 | 0x0201; }, std::string("\x01\x02\x03\0\0\0\0\0", 8)},
      {0x010, [&](ReportFields& f) { first(f.family_id); }, "\xab"},
      {0x020, [&](ReportFields& f) { first(f.image_id); }, "\xab"},
      {0x030, [](ReportFields& f) { f.vmpl = 3; }, std::string("\x03\0\0\0", 4)},
      {0x034, [](ReportFields& f) { f.signature_algo = 1; }, std::string("\x01\0\0\0", 4)},
      {0x038,
       [](ReportFields& f) {
         f.current_tcb = {0, 4, 5, 0x18, 0xdb};
       },
       std::string("\4\5\0\0\0\0\x18\xdb", 8)},
      {0x040, [](ReportFields& f) { f.platform_info = 0x67; }, "\x67"},
      {0x048, [](ReportFields& f) { f.author_key_enabled = true; }, "\x01"},
      {0x048, [](ReportFields& f) { f.chip_key_masked = true; }, "\x02"},
      {0x048, [](ReportFields& f) { f.signing_key = SigningKey::vlek; }, "\x04"},
      {0x048, [](ReportFields& f) { f.signing_key = SigningKey::none; }, "\x1c"},
      {0x050, [&](ReportFields& f) { first(f.report_data); }, "\xab"},
      {0x090, [&](ReportFields& f) { first(f.measurement); }, "\xab"},
      {0x0c0, [&](ReportFields& f) { first(f.host_data); }, "\xab"},
      {0x0e0, [&](ReportFields& f) { first(f.id_key_digest); }, "\xab"},
      {0x110, [&](ReportFields& f) { first(f.author_key_digest); }, "\xab"},
      {0x140, [&](ReportFields& f) { first(f.report_id); }, "\xab"},
      {0x160, [&](ReportFields& f) { first(f.report_id_ma); }, "\xab"},
      {0x180, [](ReportFields& f) { f.reported_tcb.microcode = 9; }, std::string("\0\0\0\0\0\0\0\x09", 8)},
      {0x188,
       [](ReportFields& f) {
         f.cpuid = Cpuid{0x1a, 0x02, 0x01};
       },
       "\x1a\x02\x01"},
      {0x1a0, [&](ReportFields& f) { first(f.chip_id); }, "\xab"},
      {0x1e0, [](ReportFields& f) { f.committed_tcb.boot_loader = 7; }, "\x07"},
      {0x1e8,
       [](ReportFields& f) {
         f.current = {29, 55, 1};
       },
       std::string("\x1d\x37\x01\0", 4)},
      {0x1ec,
       [](ReportFields& f) {
         f.committed = {28, 54, 2};
       },
       std::string("\x1c\x36\x02\0", 4)},
      {0x1f0, [](ReportFields& f) { f.launch_tcb.tee = 6; }, std::string("\0\x06", 2)},
      {0x1f8, [](ReportFields& f) { f.mitigation->launch = 0x0201; }, std::string("\x01\x02\0\0\0\0\0\0", 8)},
      {0x200, [](ReportFields& f) { f.mitigation->current = 0x0403; }, std::string("\x03\x04\0\0\0\0\0\0", 8)},
      {0x2a0, [](ReportFields& f) { f.signature_r[47] = 0xab; },
       std::string(47, '\0') + "\xab" + std::string(24, '\0')},
      {0x2e8, [](ReportFields& f) { f.signature_s[47] = 0xab; },
       std::string(47, '\0') + "\xab" + std::string(24, '\0')},
  };
  const RawReport base = *encode_report(plain(5), Product::milan);
  for (const Place& place : kPlaces) {
    ReportFields fields = plain(5);
    place.set(fields);
    const auto report = encode_report(fields, Product::milan);
    ASSERT_TRUE(report) << std::hex << place.offset;
    std::string expected(text_of(octets_of(base)));
    expected.replace(place.offset, place.octets.size(), place.octets);
    EXPECT_EQ(text_of(octets_of(*report)), expected) << std::hex << place.offset;
  }
}

TEST(ReportFields, TurinHasItsOwnOrderOfLevels) {
  ReportFields fields = plain(5);
  fields.reported_tcb = {.fmc = 1, .boot_loader = 2, .tee = 3, .snp = 4, .microcode = 5};
  const auto report = encode_report(fields, Product::turin);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reported_tcb, (TcbVersion{1, 2, 3, 4, 0, 0, 0, 5}));
}

TEST(ReportFields, RandomReportsComeBackAsTheyWere) {
  std::mt19937_64 random(20260101);
  const auto fill = [&](auto& octets) {
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
  };
  constexpr std::uint32_t kVersions[] = {2, 3, 5};
  constexpr SigningKey kKeys[] = {SigningKey::vcek, SigningKey::vlek, SigningKey::none};
  for (int round = 0; round < 2000; ++round) {
    const auto product = static_cast<Product>(random() % 3);
    ReportFields fields = plain(kVersions[random() % 3]);
    fields.guest_svn = static_cast<std::uint32_t>(random());
    fields.policy = (random() & policy_bits(fields.version)) | kPolicyReservedOne;
    fields.vmpl = static_cast<std::uint32_t>(random() % 4);
    fields.platform_info = random();
    fields.author_key_enabled = random() % 2 != 0;
    fields.chip_key_masked = random() % 2 != 0;
    fields.signing_key = kKeys[random() % 3];
    for (Tcb* tcb : {&fields.current_tcb, &fields.reported_tcb, &fields.committed_tcb, &fields.launch_tcb}) {
      ByteArray<5> levels;
      fill(levels);
      *tcb = {product == Product::turin ? levels[0] : std::uint8_t{0}, levels[1], levels[2], levels[3], levels[4]};
    }
    fill(fields.family_id);
    fill(fields.image_id);
    fill(fields.report_data);
    fill(fields.measurement);
    fill(fields.host_data);
    fill(fields.id_key_digest);
    fill(fields.author_key_digest);
    fill(fields.report_id);
    fill(fields.report_id_ma);
    fill(fields.chip_id);
    fill(fields.signature_r);
    fill(fields.signature_s);
    if (fields.cpuid) fields.cpuid = Cpuid{0x19, static_cast<std::uint8_t>(random()), 1};
    if (fields.mitigation) fields.mitigation = MitigationVectors{random(), random()};
    const auto report = encode_report(fields, product);
    ASSERT_TRUE(report) << report.error().where;
    const auto back = decode_report(*report, product);
    ASSERT_TRUE(back) << back.error().where;
    ASSERT_EQ(*back, fields) << "round " << round;
  }
}

// A changed report is refused, or its change is in the values: nothing is overlooked or dropped.
TEST(ReportFields, EveryFlippedBitIsRefusedOrSeen) {
  for (const Sample& sample : kSamples) {
    const RawReport report = real(sample.name);
    const ReportFields original = *decode_report(report, sample.product);
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < kReportBytes * 8; ++bit) {
      RawReport changed = report;
      reinterpret_cast<std::uint8_t*>(&changed)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto fields = decode_report(changed, sample.product);
      refused += fields ? 0 : 1;
      if (!fields) continue;
      ASSERT_NE(*fields, original) << sample.name << " bit " << bit;
      const auto again = encode_report(*fields, sample.product);
      ASSERT_TRUE(again) << sample.name << " bit " << bit;
      ASSERT_TRUE(std::ranges::equal(octets_of(*again), octets_of(changed))) << sample.name << " bit " << bit;
    }
    // At least all that is reserved: 0x04c, the rest of the version's space, the tails of R and S and the last 368.
    EXPECT_GE(refused, (4U + 2 + 152 + 48 + 368) * 8) << sample.name;
  }
}

TEST(ReportFields, RefusesWhatVersionOrProductHasNoPlaceFor) {
  struct Case {
    const char* name;
    std::uint32_t version;
    Product product;
    std::function<void(ReportFields&)> change;
    Errc expected;
  };
  const Case kCases[] = {
      {"version 4", 3, Product::milan, [](ReportFields& f) { f.version = 4; }, Errc::report_version},
      {"version 1", 2, Product::milan, [](ReportFields& f) { f.version = 1; }, Errc::report_version},
      {"CPUID in 2", 2, Product::milan, [](ReportFields& f) { f.cpuid = Cpuid{}; }, Errc::report_reserved},
      {"no CPUID in 3", 3, Product::milan, [](ReportFields& f) { f.cpuid.reset(); }, Errc::report_reserved},
      {"vectors in 3", 3, Product::milan, [](ReportFields& f) { f.mitigation.emplace(); }, Errc::report_reserved},
      {"no vectors in 5", 5, Product::milan, [](ReportFields& f) { f.mitigation.reset(); }, Errc::report_reserved},
      {"fmc on Milan", 3, Product::milan, [](ReportFields& f) { f.launch_tcb.fmc = 1; }, Errc::report_reserved},
      {"policy bit 17", 3, Product::genoa, [](ReportFields& f) { f.policy = 0; }, Errc::report_policy_bits},
      {"policy bit 26", 3, Product::genoa, [](ReportFields& f) { f.policy |= 1ULL << 26; }, Errc::report_policy_bits},
  };
  for (const Case& each : kCases) {
    ReportFields fields = plain(each.version);
    ASSERT_TRUE(encode_report(fields, each.product)) << each.name;
    each.change(fields);
    const auto report = encode_report(fields, each.product);
    ASSERT_FALSE(report) << each.name;
    EXPECT_STREQ(error_name(report.error().code), error_name(each.expected)) << each.name;
  }
}

TEST(ReportFields, RefusesReservedSigningKeys) {
  RawReport report = *encode_report(plain(3), Product::milan);
  for (std::uint32_t key = 0; key < 8; ++key) {
    report.key_flags = key << 2;
    EXPECT_EQ(static_cast<bool>(decode_report(report, Product::milan)), key < 2 || key == 7) << key;
  }
}

}  // namespace
}  // namespace attestbed::snp
