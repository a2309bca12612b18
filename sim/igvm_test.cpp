// SPDX-License-Identifier: Apache-2.0
#include "sim/igvm.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/base/wire.h"
#include "core/posix/describe.h"

namespace attestbed::sim {
namespace {

using Octets = std::vector<std::uint8_t>;

template <class... Fields>
Octets octets_of_fields(Fields... fields) {
  Octets all;
  const auto append = [&all](const auto& field) {
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&field);
    all.insert(all.end(), octets, octets + sizeof field);
  };
  (append(fields), ...);
  return all;
}

constexpr std::uint32_t kNoData = 0xffffffff;

/// IgvmMaker writes an IGVM file: structures, then the data that they point to.
struct IgvmMaker {
  struct Structure {
    std::uint32_t type;
    Octets octets;
    std::size_t offset_field = 0;  // where the structure holds a file offset
    std::uint32_t data = kNoData;  // which the maker sets to the place of this data
  };
  std::vector<Structure> structures;
  std::vector<Octets> data;
  std::uint32_t version = 1;
  std::uint8_t padding = 0;
  std::uint32_t checksum_change = 0;

  void platform(std::uint8_t type = 2, std::uint32_t mask = 1) {
    structures.push_back({0x1, octets_of_fields(le32(mask), std::uint8_t{0}, type, le16(1), le64(0))});
  }
  void page(std::uint64_t gpa, std::uint16_t type, std::uint32_t flags, Octets content = {}, std::uint32_t mask = 1) {
    Structure made{0x302, octets_of_fields(le64(gpa), le32(mask), le32(0), le32(flags), le16(type), le16(0))};
    if (!content.empty()) {
      made.offset_field = 12;
      made.data = static_cast<std::uint32_t>(data.size());
      data.push_back(std::move(content));
    }
    structures.push_back(std::move(made));
  }
  void vmsa(std::uint64_t gpa, Octets content) {
    structures.push_back({0x304, octets_of_fields(le64(gpa), le32(1), le32(0), le16(0), le16(0)), 12,
                          static_cast<std::uint32_t>(data.size())});
    data.push_back(std::move(content));
  }
  void area(std::uint64_t bytes, std::uint32_t index) {
    structures.push_back({0x301, octets_of_fields(le64(bytes), le32(index), le32(0))});
  }
  void insert(std::uint64_t gpa, std::uint32_t index) {
    structures.push_back({0x303, octets_of_fields(le64(gpa), le32(1), le32(index))});
  }

  Octets make() const {
    const std::size_t begin = version == 2 ? 32 : 24;
    std::size_t size = begin;
    for (const Structure& each : structures) size += 8 + (each.octets.size() + 7) / 8 * 8;
    std::size_t end = size;
    std::vector<std::size_t> places;
    for (const Octets& each : data) {
      places.push_back(end);
      end += each.size();
    }
    Octets file;
    const auto append = [&file](const Octets& octets) { file.insert(file.end(), octets.begin(), octets.end()); };
    const auto number = [](std::size_t value) { return le32(static_cast<std::uint32_t>(value)); };
    append({'I', 'G', 'V', 'M'});
    append(octets_of_fields(le32(version), number(begin), number(size - begin), number(end), le32(0)));
    if (version == 2) append(octets_of_fields(le32(0), le32(4096)));
    for (const Structure& each : structures) {
      append(octets_of_fields(le32(each.type), number(each.octets.size())));
      Octets octets = each.octets;
      if (each.data != kNoData) {
        const le32 place = number(places[each.data]);
        std::memcpy(octets.data() + each.offset_field, &place, sizeof place);
      }
      append(octets);
      append(Octets((8 - octets.size() % 8) % 8, padding));
    }
    const le32 checksum = igvm_checksum({file}) ^ checksum_change;
    std::memcpy(file.data() + 20, &checksum, sizeof checksum);
    for (const Octets& each : data) append(each);
    return file;
  }
};

Octets counting_page() {
  Octets page(4096);
  for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::uint8_t>(i);
  return page;
}

Outcome<std::string> measured(const Octets& file) {
  const LaunchImage image = TRY(igvm_image(ImageFile("guest.igvm", file)));
  const snp::Measurement digest = TRY(measure_image(image));
  return posix::to_hex(digest);
}

IgvmMaker whole_guest() {
  IgvmMaker maker;
  maker.platform();
  maker.structures.push_back({0x101, octets_of_fields(le64(0x30000), le32(1), le32(0))});
  maker.area(0x2000, 7);
  maker.page(0xffc00000, 0, 0, counting_page());
  maker.page(0x1000, 0, 0);
  maker.page(0x80d000, 1, 0);
  maker.page(0x80e000, 2, 0, Octets(4096, 0xcc));
  maker.page(0x80f000, 3, 0);
  maker.page(0x90000, 0, 2, counting_page());
  maker.insert(0xa0000, 7);
  Octets vmsa(4096);
  vmsa.front() = 0x55;
  vmsa[0x2f0] = 0x77;  // GUEST_TSC_SCALE, which is not measured
  vmsa.back() = 0xaa;
  maker.vmsa(0xfffffffff000, vmsa);
  return maker;
}

TEST(Igvm, ChecksumIsCrc32) {
  EXPECT_EQ(igvm_checksum({bytes_of("123456789")}), 0xcbf43926U);  // the check value of CRC-32/ISO-HDLC
  EXPECT_EQ(igvm_checksum({bytes_of("1234"), {}, bytes_of("56789")}), 0xcbf43926U);
}

// The first digest is sev-snp-measure's for such a page; the others were folded with Python's struct and hashlib.
TEST(Igvm, MeasuresDirectivesInFileOrder) {
  IgvmMaker one;
  one.platform();
  one.page(0xffc00000, 0, 0, counting_page());
  EXPECT_EQ(*measured(one.make()),
            "dd2077f729b141fc30a417c61bc7bd7b0c098ee0b917eb8294a75d3da0c78484d3913fd88132e1d78b4e533e03c111e4");
  one.page(0x1000, 0, 0);
  EXPECT_EQ(*measured(one.make()),
            "5c997d14cc9643fdcc6a31b93c80d846c55326f66e86cae5512785d67af9a21defbb5464474aadbf9ab62959e577dee9");
  EXPECT_EQ(*measured(whole_guest().make()),
            "be096a496c6e336171f7425525a1fa23319c18094af80e9282548a06a31cfb4920df243017593e8ed9d3ccf6a55d0751");
}

TEST(Igvm, LargePagesAre512) {
  IgvmMaker maker;
  maker.platform();
  Octets content;
  for (std::uint32_t page = 0; page < 512; ++page) {
    for (int i = 0; i < 1024; ++i) {
      const Octets number = octets_of_fields(le32(page));
      content.insert(content.end(), number.begin(), number.end());
    }
  }
  maker.page(0x200000, 0, 1, content);
  EXPECT_EQ(*measured(maker.make()),
            "73c78ce6a0dd609e298dd44ae05bf5d17e80d4de4b4eca85bf4a6bc9e16b60b34191a3363fb942e1f82c23563a8d509c");
}

TEST(Igvm, SkipsWhatIsForOthersOrMayBeIgnored) {
  IgvmMaker maker = whole_guest();
  const std::string digest = *measured(maker.make());
  maker.structures.insert(maker.structures.begin(), {0x1, octets_of_fields(le32(2), le32(0x00010000), le64(0))});
  maker.page(0x3000, 0, 0, counting_page(), 2);         // for the other platform alone
  maker.page(0x4000, 0, 4, counting_page());            // shared with the host
  maker.structures.push_back({0x80000777, {1, 2, 3}});  // unknown, may be ignored
  maker.structures.push_back({0x305, octets_of_fields(le64(0), le32(1), le32(0x1000), le32(0), le32(0))});
  EXPECT_EQ(*measured(maker.make()), digest);
  maker.version = 2;
  EXPECT_EQ(*measured(maker.make()), digest);
}

TEST(Igvm, RefusesWhatDoesNotFit) {
  struct Case {
    const char* name;
    void (*change)(IgvmMaker&);
    const char* text;
  };
  const Case kCases[] = {
      {"version", [](IgvmMaker& m) { m.version = 3; },
       "guest.igvm: offset 0x4: format version: expected 1 or 2, found 3"},
      {"checksum", [](IgvmMaker& m) { m.checksum_change = 1; }, "guest.igvm: offset 0x14: checksum: expected 0x"},
      {"no SNP", [](IgvmMaker& m) { m.structures[0].octets[5] = 3; }, "expected one for SEV-SNP, found none"},
      {"two bits in a platform's mask", [](IgvmMaker& m) { m.structures[0].octets[0] = 3; },
       "SUPPORTED_PLATFORM compatibility mask: expected one bit that no other platform has, found 0x3"},
      {"platform version", [](IgvmMaker& m) { m.structures[0].octets[6] = 2; }, "SUPPORTED_PLATFORM version"},
      {"SNP twice",
       [](IgvmMaker& m) {
         m.structures.insert(m.structures.begin(), m.structures[0]);
         m.structures[0].octets[0] = 2;
       },
       "SEV-SNP once"},
      {"platform behind directives", [](IgvmMaker& m) { m.platform(1, 4); }, "SUPPORTED_PLATFORM too late"},
      {"unknown structure",
       [](IgvmMaker& m) {
         m.structures.push_back({0x333, {}});
       },
       "structure type: expected one of IGVM's, or one that may be ignored (bit 31), found 0x333"},
      {"length", [](IgvmMaker& m) { m.structures.back().octets.push_back(0); },
       "VP_CONTEXT length: expected 20, found 21"},
      {"padding", [](IgvmMaker& m) { m.padding = 1; }, "structure padding: expected zero octets, found others"},
      {"mask of nobody", [](IgvmMaker& m) { m.page(0x5000, 0, 0, {}, 8); }, "compatibility mask"},
      {"no mask", [](IgvmMaker& m) { m.page(0x5000, 0, 0, {}, 0); }, "compatibility mask"},
      {"flags", [](IgvmMaker& m) { m.page(0x5000, 0, 8); }, "PAGE_DATA flags: expected bits 0 to 2, found 0x8"},
      {"data type", [](IgvmMaker& m) { m.page(0x5000, 4, 0); }, "PAGE_DATA type: expected 0 to 3, found 4"},
      {"GPA", [](IgvmMaker& m) { m.page(0x5800, 0, 0); }, "GPA: expected a multiple of 0x1000, found 0x5800"},
      {"GPA of a large page", [](IgvmMaker& m) { m.page(0x201000, 0, 1); },
       "GPA: expected a multiple of 0x200000, found 0x201000"},
      {"data too short", [](IgvmMaker& m) { m.data.back().pop_back(); },
       "file data: expected 4096 octets inside the file"},
      {"data in the header",
       [](IgvmMaker& m) {
         m.page(0x5000, 0, 0);
         m.structures.back().octets[12] = 1;
       },
       "file offset: expected one behind the variable header"},
      {"area twice", [](IgvmMaker& m) { m.area(0x1000, 7); },
       "PARAMETER_AREA index: expected one that is new, found 7"},
      {"area of half a page", [](IgvmMaker& m) { m.area(0x800, 8); }, "PARAMETER_AREA size"},
      {"inserted twice", [](IgvmMaker& m) { m.insert(0xb0000, 7); }, "PARAMETER_INSERT index"},
      {"never declared", [](IgvmMaker& m) { m.insert(0xb0000, 9); }, "PARAMETER_INSERT index"},
  };
  for (const Case& c : kCases) {
    IgvmMaker maker = whole_guest();
    c.change(maker);
    const auto refused = measured(maker.make());
    ASSERT_FALSE(refused) << c.name;
    EXPECT_EQ(refused.error().code, Errc::image_malformed) << c.name;
    EXPECT_NE(refused.error().text.find(c.text), std::string::npos) << c.name << ": " << refused.error().text;
  }
}

TEST(Igvm, LargeSecretsPageIsWhatTheFirmwareRefuses) {
  IgvmMaker maker;
  maker.platform();
  maker.page(0x200000, 1, 1);
  const auto refused = measured(maker.make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::firmware_refused);
  EXPECT_NE(refused.error().text.find("PAGE_SIZE"), std::string::npos) << refused.error().text;
}

TEST(Igvm, BoundsWhatItMakesUsHash) {
  IgvmMaker maker;
  maker.platform();
  for (std::uint32_t index = 0; index < 2; ++index) {
    maker.area(0x40000000, index);
    maker.insert(0x40000000ULL * index, index);
  }
  const auto refused = measured(maker.make());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::too_large);
}

TEST(Igvm, EveryTruncationAndEveryFlippedHeaderBitIsRefused) {
  const Octets file = whole_guest().make();
  const le32 variable = *Reader(Bytes(file).subspan(12)).copy<le32>("size");
  const std::size_t headers = 24 + variable;
  for (std::size_t size = 0; size < file.size(); size += size < headers ? 1 : 509) {
    EXPECT_FALSE(igvm_image(ImageFile("cut", Bytes(file).first(size)))) << size;
  }
  Octets changed = file;
  for (std::size_t bit = 0; bit < 8 * headers; ++bit) {
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(igvm_image(ImageFile("flipped", changed))) << "bit " << bit;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

}  // namespace
}  // namespace attestbed::sim
