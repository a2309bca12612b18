// SPDX-License-Identifier: Apache-2.0
#include "sim/ovmf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/base/wire.h"
#include "core/posix/describe.h"
#include "sim/guid.h"
#include "sim/ovmf_launch.h"

namespace attestbed::sim {
namespace {

/// FirmwareMaker builds a firmware of 16 KiB with everything that a launch reads of one; tests change what it writes.
struct FirmwareMaker {
  struct Section {
    std::uint32_t gpa, size, type;
  };
  std::vector<Section> sections = {{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2},
                                   {0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 4}, {0x810000, 0x1000, 0x10}};
  std::size_t size = 0x4000;
  bool has_hash_table = true, has_reset_block = true, has_metadata = true;
  std::uint32_t hash_table_gpa = 0x810c00;
  std::uint32_t metadata_version = 1, metadata_size = 0, count_beyond = 0;
  std::string signature = "ASEV";
  std::size_t offset_from_end = 0x4000 - kMetadata;
  int footer_length_beyond = 0;
  bool twice = false;

  static constexpr std::size_t kMetadata = 0x100;

  std::vector<std::uint8_t> make() const {
    std::vector<std::uint8_t> file(size);
    for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
    const auto count = static_cast<std::uint32_t>(sections.size());
    std::vector<std::uint8_t> metadata(signature.begin(), signature.end());
    for (const std::uint32_t number :
         {metadata_size != 0 ? metadata_size : 16 + 12 * count, metadata_version, count + count_beyond}) {
      append(metadata, le32(number));
    }
    for (const Section& each : sections) {
      for (const std::uint32_t number : {each.gpa, each.size, each.type}) append(metadata, le32(number));
    }
    std::memcpy(file.data() + kMetadata, metadata.data(), metadata.size());

    std::vector<std::uint8_t> table;
    if (has_hash_table) {
      append(table, le32(hash_table_gpa));
      append(table, le32(0x400));
      close_entry(table, 8, guid("7255371f-3a3b-4b04-927b-1da6efa8d454"));
    }
    for (int i = 0; has_reset_block && i < (twice ? 2 : 1); ++i) {
      append(table, le32(0x80b004));
      close_entry(table, 4, guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e"));
    }
    if (has_metadata) {
      append(table, le32(static_cast<std::uint32_t>(offset_from_end)));
      close_entry(table, 4, guid("dc886566-984a-4798-a75e-5585a7bf67cc"));
    }
    const auto length = static_cast<std::ptrdiff_t>(table.size()) + footer_length_beyond;
    close_entry(table, static_cast<std::size_t>(length), guid("96b582de-1fb2-45f7-baea-a366c55a082d"));
    std::memcpy(file.data() + size - 32 - table.size(), table.data(), table.size());
    return file;
  }

 private:
  template <class T>
  static void append(std::vector<std::uint8_t>& to, const T& value) {
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&value);
    to.insert(to.end(), octets, octets + sizeof value);
  }
  static void close_entry(std::vector<std::uint8_t>& table, std::size_t data_size, const Guid& id) {
    append(table, le16(static_cast<std::uint16_t>(data_size + 18)));
    append(table, id);
  }
};

constexpr char kKernel[] = "attestbed kernel", kInitrd[] = "attestbed initrd";

Outcome<std::string> measured(const FirmwareMaker& maker, const OvmfLaunch& launch) {
  const std::vector<std::uint8_t> octets = maker.make();
  const LaunchImage image = TRY(ovmf_image(ImageFile("OVMF.fd", octets), launch));
  const snp::Measurement digest = TRY(measure_image(image));
  return posix::to_hex(digest);
}

TEST(OvmfLaunch, MeasuresWhatSevSnpMeasureDoes) {
  FirmwareMaker without_hashes;
  without_hashes.sections.pop_back();
  without_hashes.has_hash_table = false;
  const DirectKernel direct{bytes_of(kKernel), bytes_of(kInitrd), "console=ttyS0 root=/dev/sda1"};
  const DirectKernel bare{bytes_of(kKernel), {}, ""};
  const VmsaState milan{.cpu_signature = 0xa00f11, .sev_features = 0x21};
  const VmsaState ec2{.cpu_signature = 0xa00f11, .sev_features = 0x21, .vmm = Vmm::ec2};
  const VmsaState gce{.cpu_signature = 0xa00f11, .sev_features = 0x21, .vmm = Vmm::gce};
  struct Case {
    const char* name;
    FirmwareMaker firmware;
    OvmfLaunch launch;
    const char* digest;  // printed by sev-snp-measure 0.0.13 for these very octets
  };
  const Case kCases[] = {
      {"QEMU",
       {},
       {2, milan, {}},
       "9aa0f09f14027743ca5b2333a5746dbdf5e3f2e6b5e6f824b0be8d9a289e9993f0e3c0a77797a74e9e5d999ab858a3b3"},
      {"EC2",
       {},
       {2, ec2, {}},
       "f11123662ecb4f2d28e6f1b5d1299a08add4564331a7d287e068a5e040c717b22e010f6b77712627c8fbf9a91380ba2b"},
      {"GCE",
       {},
       {2, gce, {}},
       "08a76a5cd8991c30d15e455a0c23563cd768928e2a6eef45a024298bf8085b2234b580b4f5e0932b38622465afb47311"},
      {"kernel, initrd, command line",
       {},
       {1, {}, direct},
       "0a6550bf2cdde3aefd034ebb726d08581276744c07a199c50edaae5287cba989d81c1593befafcd63941ed7d10200aea"},
      {"kernel alone",
       {},
       {1, {}, bare},
       "9ec4730931bc980ff913bb5efef7a852389ca952d055087cec98b8a0db7d4fb93991046e6df9ce99f644030ea95742e7"},
      {"firmware without hash table, three Genoa",
       without_hashes,
       {3, {.cpu_signature = 0xa10f10}, {}},
       "64d4c0fe52ea353780e1b616ee186371b46c459cabe70ffac0339adec68cae8aedf9ac36cd8a1eac98c7fe0499bf758a"},
  };
  for (const Case& c : kCases) {
    const auto digest = measured(c.firmware, c.launch);
    ASSERT_TRUE(digest) << c.name << ": " << digest.error().text;
    EXPECT_EQ(*digest, c.digest) << c.name;
  }
}

// Digests that the tests of sev-snp-measure 0.0.13 and of the crate sev 8.0.0 expect of this file, with /dev/null as
// kernel and initrd.
TEST(OvmfLaunch, MeasuresThePublishedFirmwareAsPublished) {
  const auto octets = posix::read_file(ATTESTBED_SOURCE_DIR "/sim/testdata/ovmf-amdsev-suffix.bin", 4096);
  ASSERT_TRUE(octets);
  struct Case {
    std::uint64_t features;
    const char *cmdline, *digest;
  };
  constexpr char kCmdline[] = "console=ttyS0 loglevel=7";
  const Case kCases[] = {
      {0x01, "", "ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5"},
      {0x21, "", "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198"},
      {0x01, kCmdline,
       "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa"},
      {0x21, kCmdline,
       "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977"},
  };
  for (const Case& c : kCases) {
    const OvmfLaunch launch{1, {.sev_features = c.features}, DirectKernel{{}, {}, c.cmdline}};
    const auto image = ovmf_image(ImageFile("OVMF.fd", bytes_of(*octets)), launch);
    ASSERT_TRUE(image) << image.error().text;
    EXPECT_EQ(posix::to_hex(*measure_image(*image)), c.digest) << c.features << c.cmdline;
  }
}

TEST(OvmfLaunch, RefusesAKernelThatTheFirmwareWouldNotVerify) {
  const DirectKernel direct{bytes_of(kKernel), {}, ""};
  FirmwareMaker no_section, no_table;
  no_section.sections.pop_back();
  no_table.has_hash_table = false;
  for (const FirmwareMaker& maker : {no_section, no_table}) {
    const auto refused = measured(maker, {1, {}, direct});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kernel_hashes_missing);
    EXPECT_NE(refused.error().text.find("OVMF.fd"), std::string::npos);
    EXPECT_TRUE(measured(maker, {1, {}, {}})) << "without a kernel there is nothing to verify";
  }
}

TEST(OvmfLaunch, BoundsProcessorsAndNeedsToKnowWhereOthersBegin) {
  FirmwareMaker maker;
  EXPECT_EQ(measured(maker, {0, {}, {}}).error().code, Errc::bad_config);
  EXPECT_EQ(measured(maker, {4097, {}, {}}).error().code, Errc::bad_config);
  maker.has_reset_block = false;
  EXPECT_TRUE(measured(maker, {1, {}, {}}));
  EXPECT_EQ(measured(maker, {2, {}, {}}).error().code, Errc::image_malformed);
}

TEST(Ovmf, FindsItsTables) {
  const std::vector<std::uint8_t> octets = FirmwareMaker().make();
  const auto ovmf = parse_ovmf(ImageFile("OVMF.fd", octets));
  ASSERT_TRUE(ovmf) << ovmf.error().text;
  EXPECT_EQ(ovmf->ap_eip, 0x80b004U);
  EXPECT_EQ(ovmf->hash_table_gpa, 0x810c00U);
  ASSERT_EQ(ovmf->sections.size(), 6U);
  EXPECT_EQ(ovmf->sections[1].gpa, 0x80a000U);
  EXPECT_EQ(ovmf->sections[1].size, 0x3000U);
  EXPECT_EQ(ovmf->sections[5].type, OvmfSectionType::kernel_hashes);
}

TEST(Ovmf, RefusesWhatDoesNotFit) {
  struct Case {
    const char* name;
    void (*change)(FirmwareMaker&);
    const char* text;  // file, place, what was expected and found
  };
  const Case kCases[] = {
      {"no metadata", [](FirmwareMaker& m) { m.has_metadata = false; },
       "OVMF.fd: offset 0x3fe0: GUIDed table: expected"},
      {"signature", [](FirmwareMaker& m) { m.signature = "ASEW"; },
       "OVMF.fd: offset 0x100: SEV metadata signature: expected \"ASEV\", found"},
      {"version", [](FirmwareMaker& m) { m.metadata_version = 2; },
       "OVMF.fd: offset 0x108: SEV metadata version: expected 1, found 2"},
      {"size", [](FirmwareMaker& m) { m.metadata_size = 87; },
       "OVMF.fd: offset 0x104: SEV metadata size: expected 88, found 87"},
      {"one section too many for the size", [](FirmwareMaker& m) { m.count_beyond = 1; },
       "OVMF.fd: offset 0x104: SEV metadata size: expected 100, found 88"},
      {"number of sections", [](FirmwareMaker& m) { m.count_beyond = 0xfffffff0; },
       "OVMF.fd: offset 0x10c: SEV metadata sections: expected at most 256, found 4294967286"},
      {"metadata before the file", [](FirmwareMaker& m) { m.offset_from_end = 0x4001; },
       "SEV metadata, octets from the end: expected at most 0x4000, found 0x4001"},
      {"metadata header cut", [](FirmwareMaker& m) { m.offset_from_end = 15; },
       "SEV metadata header: expected 16 octets inside the file of 0x4000, found 15"},
      {"unknown type", [](FirmwareMaker& m) { m.sections[0].type = 5; },
       "OVMF.fd: offset 0x118: SEV metadata section type: expected 1, 2, 3, 4 or 0x10, found 0x5"},
      {"unaligned GPA", [](FirmwareMaker& m) { m.sections[0].gpa = 0x800800; },
       "OVMF.fd: offset 0x110: SEV metadata section GPA: expected a multiple of 0x1000, found 0x800800"},
      {"part of a page", [](FirmwareMaker& m) { m.sections[0].size = 0x8800; },
       "OVMF.fd: offset 0x114: SEV metadata section size"},
      {"no page", [](FirmwareMaker& m) { m.sections[0].size = 0; }, "SEV metadata section size"},
      {"two secrets pages",
       [](FirmwareMaker& m) {
         m.sections = {{0x80d000, 0x2000, 2}};
       },
       "SNP_SECRETS section size: expected 0x1000, found 0x2000"},
      {"overlap", [](FirmwareMaker& m) { m.sections[0].size = 0xb000; },
       "OVMF.fd: offset 0x11c: SEV metadata section: expected one that overlaps no other, found 0x80a000"},
      {"into the firmware",
       [](FirmwareMaker& m) {
         m.sections[0] = {0xffffb000, 0x2000, 1};
       },
       "SEV metadata section end: expected at most the firmware's begin, 0xffffc000, found 0xffffd000"},
      {"entry twice", [](FirmwareMaker& m) { m.twice = true; }, "expected each GUID once"},
      {"table longer than its entries", [](FirmwareMaker& m) { m.footer_length_beyond = 2; }, "GUIDed table entry"},
      {"table shorter than its entries", [](FirmwareMaker& m) { m.footer_length_beyond = -2; },
       "GUIDed table entry length"},
      {"table that is no table", [](FirmwareMaker& m) { m.footer_length_beyond = 0x4000; }, "GUIDed table length"},
      {"file of half a page", [](FirmwareMaker& m) { m.size = 0x4800; }, "OVMF.fd: offset 0x0: firmware size"},
  };
  for (const Case& c : kCases) {
    FirmwareMaker maker;
    c.change(maker);
    const auto refused = measured(maker, {});
    ASSERT_FALSE(refused) << c.name;
    EXPECT_EQ(refused.error().code, Errc::image_malformed) << c.name;
    EXPECT_NE(refused.error().text.find(c.text), std::string::npos) << c.name << ": " << refused.error().text;
  }
}

TEST(Ovmf, HashTableOutsideItsSectionIsRefused) {
  for (const std::uint32_t gpa : {0x80ffffU, 0x810f51U, 0x811000U}) {
    FirmwareMaker maker;
    maker.hash_table_gpa = gpa;
    EXPECT_FALSE(measured(maker, {1, {}, DirectKernel{bytes_of(kKernel), {}, ""}})) << gpa;
  }
  for (const std::uint32_t gpa : {0x810000U, 0x810f50U}) {
    FirmwareMaker maker;
    maker.hash_table_gpa = gpa;
    EXPECT_TRUE(measured(maker, {1, {}, DirectKernel{bytes_of(kKernel), {}, ""}})) << gpa;
  }
}

TEST(Ovmf, EveryTruncationToWholePagesIsRefused) {
  const std::vector<std::uint8_t> octets = FirmwareMaker().make();
  for (std::size_t size = 0; size < octets.size(); size += 0x1000) {
    EXPECT_FALSE(parse_ovmf(ImageFile("OVMF.fd", Bytes(octets).first(size)))) << size;
  }
}

// QEMU's table for these inputs, put together with Python's uuid, struct and hashlib.
TEST(KernelHashes, AreQemusTable) {
  const auto table = kernel_hashes({bytes_of(kKernel), bytes_of(kInitrd), ""});
  ASSERT_TRUE(table);
  EXPECT_EQ(posix::to_hex(*table),
            "06d63894224fc94cb479a793d411fd21a800d82dd09720bd944caa78e7714d36ab2a32006e340b9cffb37a98"
            "9ca544e6bb780a2c78901d3fb33738768511a30617afa01d31f7ba442f3ad74b9af141e29169781d32007685"
            "aed649200a32fc4e0f6529ed537b1d90323a0811856ca324d3ee75067b5a3794e74dd2ab7f42b835d5b172d2"
            "045b32008643a10d572acedd5f34f6dda7ab720618d11b7af26b3ef4ed6bd77b8fdbc9900000000000000000");
}

}  // namespace
}  // namespace attestbed::sim
