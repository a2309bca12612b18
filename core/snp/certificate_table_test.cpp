// SPDX-License-Identifier: Apache-2.0
#include "core/snp/certificate_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/posix/describe.h"

namespace attestbed::snp {
namespace {

using Octets = std::vector<std::uint8_t>;

// GUIDs as people write them (GHCB specification 56421), without the dashes.
constexpr char kArk[] = "c0b406a4a803495297433fb6014cd0ae";
constexpr char kAsk[] = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr char kVcek[] = "63da758de6644564adc5f4b93be8accd";
constexpr char kVlek[] = "a8074bc2a25a483eaae639c045a0b8a1";
constexpr char kCrl[] = "92f81bc358114d3d97ffd19f88dc67ea";
constexpr char kPlatform[] = "ecae0c0f950243b1afa20ae2e0d565b6";

Guid guid(const std::string& text) {
  std::string octets;
  EXPECT_TRUE(posix::from_hex(text, octets));
  Guid out{};
  std::copy(octets.begin(), octets.end(), out.begin());
  return out;
}

/// Table is a table octet by octet, so that it can be wrong.
struct Table {
  Octets octets;
  Table& row(const std::string& name, std::uint32_t offset, std::uint32_t length) {
    const Guid name_octets = guid(name);
    octets.insert(octets.end(), name_octets.begin(), name_octets.end());
    for (const std::uint32_t value : {offset, length}) {
      for (int shift = 0; shift < 32; shift += 8) octets.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  Table& end() {
    octets.insert(octets.end(), 24, 0);
    return *this;
  }
  Table& data(std::size_t n, std::uint8_t value) {
    octets.insert(octets.end(), n, value);
    return *this;
  }
};

/// good holds 3 octets 0xaa as the VCEK and 5 octets 0xbb as the ASK, the second in front, then padding.
Octets good() {
  return Table().row(kVcek, 77, 3).row(kAsk, 72, 5).end().data(5, 0xbb).data(3, 0xaa).data(20, 0).octets;
}

TEST(CertificateTable, ReadsEntriesInAnyOrderOfTheirData) {
  const Octets octets = good();
  const auto table = CertificateTable::parse(octets);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->entries().size(), 2U);
  EXPECT_EQ(table->entries()[0].guid, guid(kVcek));
  EXPECT_TRUE(std::ranges::equal(table->find(kVcekGuid), Octets(3, 0xaa)));
  EXPECT_TRUE(std::ranges::equal(table->find(kAskGuid), Octets(5, 0xbb)));
  EXPECT_TRUE(table->find(kArkGuid).empty());
  EXPECT_EQ(table->octets().size(), 80U) << "padding is no part of it";
}

TEST(CertificateTable, KnowsTheGuidsAsTheyAreWritten) {
  const std::pair<const char*, const char*> kKnown[] = {{kArk, "ARK"},   {kAsk, "ASK"}, {kVcek, "VCEK"},
                                                        {kVlek, "VLEK"}, {kCrl, "CRL"}, {kPlatform, "platform-info"}};
  for (const auto& [text, name] : kKnown) EXPECT_STREQ(guid_name(guid(text)), name);
  EXPECT_STREQ(guid_name(Guid{1}), "unknown");
  EXPECT_EQ(kPlatformInfoGuid, guid(kPlatform));
}

// What KVM writes when nobody answers its question for certificates.
TEST(CertificateTable, TwentyFourZerosAreATableWithoutEntries) {
  const Octets octets(4096);
  const auto table = CertificateTable::parse(octets);
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->entries().empty());
  EXPECT_EQ(table->octets().size(), 24U);
}

TEST(CertificateTable, RefusesWhatIsNotOne) {
  Table endless;
  for (int i = 0; i < 17; ++i) {
    endless.row("00000000000000000000000000000" + std::to_string(100 + i), static_cast<std::uint32_t>(18 * 24 + i), 1);
  }
  endless.end().data(32, 1);
  struct Case {
    const char* name;
    Octets octets;
    Errc code;
    const char* where;
  };
  const Case kCases[] = {
      {"nothing", {}, Errc::truncated, "certificate table, entry"},
      {"half a row", Octets(23), Errc::truncated, "certificate table, entry"},
      {"no row of zeros", Table().row(kVcek, 24, 1).octets, Errc::truncated, "certificate table, entry"},
      {"data where the end should be", Table().row(kVcek, 24, 24).data(23, 7).octets, Errc::truncated,
       "certificate table, entry"},
      {"seventeen", endless.octets, Errc::too_large, "certificate table, entries"},
      {"no GUID", Table().row("00000000000000000000000000000000", 48, 1).end().data(1, 7).octets, Errc::bad_value,
       "certificate table, entry without GUID"},
      {"no octets", Table().row(kVcek, 48, 0).end().data(1, 7).octets, Errc::bad_length,
       "certificate table, entry without octets"},
      {"on a row", Table().row(kVcek, 0, 48).end().octets, Errc::bad_length,
       "certificate table, entry inside the rows"},
      {"on the row of zeros", Table().row(kVcek, 47, 2).end().data(1, 7).octets, Errc::bad_length,
       "certificate table, entry inside the rows"},
      {"one octet outside", Table().row(kVcek, 48, 2).end().data(1, 7).octets, Errc::bad_length,
       "certificate table, entry outside the table"},
      {"begins outside", Table().row(kVcek, 50, 0).end().data(1, 7).octets, Errc::bad_length,
       "certificate table, entry outside the table"},
      {"offset and length wrap", Table().row(kVcek, 0xffffffff, 0xffffffff).end().octets, Errc::bad_length,
       "certificate table, entry outside the table"},
      {"repeated", Table().row(kVcek, 72, 1).row(kVcek, 73, 1).end().data(2, 7).octets, Errc::bad_value,
       "certificate table, repeated GUID"},
      {"the same octets twice", Table().row(kVcek, 72, 2).row(kVlek, 72, 2).end().data(2, 7).octets, Errc::bad_value,
       "certificate table, overlapping entries"},
      {"last octet shared", Table().row(kVcek, 72, 2).row(kVlek, 73, 2).end().data(3, 7).octets, Errc::bad_value,
       "certificate table, overlapping entries"},
      {"one inside another", Table().row(kVcek, 72, 9).row(kVlek, 74, 1).end().data(9, 7).octets, Errc::bad_value,
       "certificate table, overlapping entries"},
  };
  for (const Case& c : kCases) {
    const auto table = CertificateTable::parse(c.octets);
    ASSERT_FALSE(table) << c.name;
    EXPECT_STREQ(error_name(table.error().code), error_name(c.code)) << c.name;
    EXPECT_STREQ(table.error().where, c.where) << c.name;
  }
}

TEST(CertificateTable, SixteenEntriesAreAllowed) {
  Table table;
  for (unsigned i = 0; i < 16; ++i) {
    table.row("0000000000000000000000000000000" + std::string(1, "123456789abcdef0"[i]) + "", 17 * 24 + i, 1);
  }
  // The last of them would have no GUID.
  table.octets[15 * 24] = 1;
  table.end().data(16, 9);
  const auto parsed = CertificateTable::parse(table.octets);
  ASSERT_TRUE(parsed) << parsed.error().where;
  EXPECT_EQ(parsed->entries().size(), 16U);
}

TEST(CertificateTable, EveryTruncationIsRefusedUntilOnlyPaddingIsCut) {
  const Octets whole = good();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    // An exact copy, so that a read behind it is a read behind the allocation.
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(CertificateTable::parse(cut).has_value(), n >= 80) << n;
  }
}

// The rows decide what is read, and each of their bits is either refused or moves only what the table says: an entry
// can never come out empty, outside, or on another's octets.
TEST(CertificateTable, EveryFlippedBitIsRefusedOrHarmless) {
  const Octets whole = good();
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Octets octets = whole;
    octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] ^ (1U << bit % 8));
    const auto table = CertificateTable::parse(octets);
    if (!table) continue;
    ++accepted;
    if (bit / 8 >= 72) {
      EXPECT_EQ(table->entries().size(), 2U) << bit;
    }
    std::vector<bool> used(octets.size());
    for (const CertificateEntry& entry : table->entries()) {
      ASSERT_FALSE(entry.octets.empty()) << bit;
      const std::ptrdiff_t from = entry.octets.data() - octets.data();
      ASSERT_GE(from, 72) << bit;
      ASSERT_LE(static_cast<std::size_t>(from) + entry.octets.size(), octets.size()) << bit;
      for (std::size_t i = 0; i < entry.octets.size(); ++i) {
        ASSERT_FALSE(used[static_cast<std::size_t>(from) + i]) << bit;
        used[static_cast<std::size_t>(from) + i] = true;
      }
    }
  }
  // All 28 octets behind the rows, and both GUIDs, are free to be anything (but each other, or zero).
  EXPECT_GE(accepted, 8U * (28 + 2 * 16));
}

TEST(CertificateTable, AGuestPassesOnWhatIsWellFormedAndHasEntries) {
  const Octets padded = good(), none(4096), cut(30);
  EXPECT_EQ(certificates_in(padded).size(), 80U);
  EXPECT_TRUE(certificates_in(none).empty());
  EXPECT_TRUE(certificates_in(cut).empty());
}

TEST(EncodeCertificateTable, WritesRowsThenData) {
  const Octets vcek(3, 0xaa), ask(5, 0xbb);
  const CertificateEntry entries[] = {{kVcekGuid, vcek}, {kAskGuid, ask}};
  Octets room(200);
  const auto table = encode_certificate_table(entries, room);
  ASSERT_TRUE(table);
  const Octets expected = Table().row(kVcek, 72, 3).row(kAsk, 75, 5).end().data(3, 0xaa).data(5, 0xbb).octets;
  EXPECT_TRUE(std::ranges::equal(*table, expected));
  EXPECT_TRUE(std::ranges::equal(*encode_certificate_table({}, room), Octets(24)));
}

TEST(EncodeCertificateTable, RefusesWhatParseWould) {
  const Octets one(1, 1);
  const CertificateEntry twice[] = {{kVcekGuid, one}, {kVcekGuid, one}}, none[] = {{kVcekGuid, {}}},
                         zero[] = {{Guid{}, one}};
  const std::vector<CertificateEntry> many(17, CertificateEntry{kVcekGuid, one});
  Octets room(2000);
  EXPECT_EQ(encode_certificate_table(twice, room).error().code, Errc::bad_value);
  EXPECT_EQ(encode_certificate_table(none, room).error().code, Errc::bad_length);
  EXPECT_EQ(encode_certificate_table(zero, room).error().code, Errc::bad_value);
  EXPECT_EQ(encode_certificate_table(many, room).error().code, Errc::too_large);
  EXPECT_TRUE(encode_certificate_table(std::span(twice).first(1), MutBytes(room).first(49)));
  EXPECT_EQ(encode_certificate_table(std::span(twice).first(1), MutBytes(room).first(48)).error().code, Errc::no_space);
}

}  // namespace
}  // namespace attestbed::snp
