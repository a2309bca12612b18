// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "core/base/reader.h"
#include "core/base/secret.h"
#include "core/base/wire.h"
#include "core/base/writer.h"

namespace attestbed {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Errc::bad_value, "n", static_cast<std::uint64_t>(n), 0};
  return n / 2;
}
Result<int> quarter(int n) {
  const int once = TRY(half(n));
  return half(once);
}
TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().found, 3U);
  EXPECT_EQ(quarter(5).error().found, 5U);
}
TEST(Result, MovesWhatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto use = [&]() -> Result<int> {
    const std::unique_ptr<int> owned = TRY(make());
    return *owned;
  };
  EXPECT_EQ(*use(), 7);
}

TEST(Errors, EveryCodeHasARowAndWireNamesAreFoundOnlyIfTheyMayTravel) {
  std::set<std::string> names;
  for (const ErrorRow& row : error_rows()) {
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_EQ(&error_row(row.code), &row);
    EXPECT_EQ(wire_error_named(row.name), row.on_wire ? &row : nullptr) << row.name;
    EXPECT_TRUE(row.guest_exit >= 1 && row.guest_exit <= 5) << row.name;
    EXPECT_GT(std::string(row.meaning).size(), 10U) << row.name;
    EXPECT_GT(std::string(row.remedy).size(), 10U) << row.name;
  }
  EXPECT_EQ(wire_error_named("no_such_code"), nullptr);
}

TEST(Reader, GettersAdvanceFullyOrFailAndStay) {
  const ByteArray<5> octets{1, 2, 3, 4, 5};
  Reader reader(octets);
  EXPECT_EQ(*reader.copy<le32>("a"), 0x04030201U);
  const auto beyond = reader.copy<le16>("b");
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Errc::truncated);
  EXPECT_EQ(beyond.error().found, 1U);
  EXPECT_EQ(beyond.error().expected, 2U);
  EXPECT_EQ(reader.left(), 1U);
  EXPECT_EQ(reader.done("end").error().code, Errc::trailing_bytes);
  EXPECT_EQ(reader.zeros(1, "c").error().code, Errc::reserved_set);
  EXPECT_EQ(reader.take(~std::size_t{0}, "d").error().code, Errc::truncated);
}

TEST(Writer, OverflowIsStickyAndNothingIsCut) {
  ByteArray<4> buffer{};
  Writer out(buffer);
  out.text("abc");
  out.text("de");
  out.text("f");
  EXPECT_EQ(out.finish("w").error().code, Errc::no_space);
  EXPECT_EQ(buffer, (ByteArray<4>{'a', 'b', 'c', 0}));
}

TEST(Wire, IntegersAreLittleEndianWhateverTheHost) {
  const le64 value = 0x0102030405060708ULL;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&value);
  EXPECT_EQ(octets[0], 8);
  EXPECT_EQ(octets[7], 1);
  EXPECT_EQ(std::uint64_t{value}, 0x0102030405060708ULL);
}

// The destructor's store must survive the optimiser: look at the memory after the object is gone.
TEST(Secret, IsWipedWhenItDiesAndWhenItMoves) {
  alignas(Secret<16>) ByteArray<sizeof(Secret<16>)> place{};
  auto* secret = new (place.data()) Secret<16>();
  for (auto& octet : secret->expose_mut()) octet = 0xaa;
  Secret<16> moved = std::move(*secret);
  EXPECT_EQ(moved.expose()[15], 0xaa);
  EXPECT_EQ(place, (ByteArray<sizeof(Secret<16>)>{}));
  for (auto& octet : secret->expose_mut()) octet = 0xbb;
  secret->~Secret();
  EXPECT_EQ(place, (ByteArray<sizeof(Secret<16>)>{}));
}

TEST(Secret, ComparesWithoutLookingAtLengthsTwice) {
  EXPECT_TRUE(equal_ct(bytes_of("abc"), bytes_of("abc")));
  EXPECT_FALSE(equal_ct(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_ct(bytes_of("abc"), bytes_of("ab")));
}

}  // namespace
}  // namespace attestbed
