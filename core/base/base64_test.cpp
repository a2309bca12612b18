// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace attestbed {
namespace {

std::string encode(Base64 alphabet, std::string_view octets) {
  std::vector<std::uint8_t> buffer(octets.size() * 2 + 4);
  Writer out(buffer);
  base64_encode(alphabet, bytes_of(octets), out);
  return std::string(text_of(*out.finish("test")));
}

Result<MutBytes> decode(Base64 alphabet, std::string_view text, std::vector<std::uint8_t>& buffer) {
  buffer.assign(text.begin(), text.end());
  return base64_decode(alphabet, buffer, buffer, "test");
}

struct Known {
  const char* octets;
  const char* standard;
  const char* url;
};
// RFC 4648 section 10, and one text that shows the two alphabets apart.
constexpr Known kKnown[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xef\xbe\xff", "++++/w==", "----_w"},
};

TEST(Base64, KnownAnswersBothWays) {
  std::vector<std::uint8_t> buffer;
  for (const Known& known : kKnown) {
    EXPECT_EQ(encode(Base64::standard, known.octets), known.standard);
    EXPECT_EQ(encode(Base64::url, known.octets), known.url);
    const auto standard = decode(Base64::standard, known.standard, buffer);
    ASSERT_TRUE(standard);
    EXPECT_EQ(text_of(*standard), known.octets);
    const auto url = decode(Base64::url, known.url, buffer);
    ASSERT_TRUE(url);
    EXPECT_EQ(text_of(*url), known.octets);
  }
}

struct Bad {
  const char* name;
  Base64 alphabet;
  const char* text;
  std::uint64_t found;  // offset of what was wrong
};
class Base64Rejects : public testing::TestWithParam<Bad> {};
TEST_P(Base64Rejects, OneThingWrong) {
  std::vector<std::uint8_t> buffer;
  const auto decoded = decode(GetParam().alphabet, GetParam().text, buffer);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::bad_base64);
  EXPECT_EQ(decoded.error().found, GetParam().found);
}
INSTANTIATE_TEST_SUITE_P(
    Table, Base64Rejects,
    testing::Values(Bad{"NoPadding", Base64::standard, "Zg", 2}, Bad{"HalfPadding", Base64::standard, "Zg=", 3},
                    Bad{"ThreePads", Base64::standard, "Z===", 1}, Bad{"OnlyPads", Base64::standard, "====", 0},
                    Bad{"PadInside", Base64::standard, "Zg==Zm9v", 2},
                    Bad{"UrlInStandard", Base64::standard, "-_-_", 0}, Bad{"StandardInUrl", Base64::url, "++++", 0},
                    Bad{"PadInUrl", Base64::url, "Zg==", 2}, Bad{"TrailingBits2", Base64::standard, "Zh==", 1},
                    Bad{"TrailingBits3", Base64::standard, "Zm9=", 2}, Bad{"TrailingBitsUrl", Base64::url, "Zh", 1},
                    Bad{"OneLeft", Base64::url, "Zm9vZ", 5}, Bad{"Space", Base64::standard, "Zm9 ", 3},
                    Bad{"Newline", Base64::standard, "Zm9v\nZm9", 4}, Bad{"HighBit", Base64::standard, "Zm\xc3v", 2}),
    [](const auto& row) { return row.param.name; });

TEST(Base64, EveryOctetValueSurvivesBothAlphabets) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  std::vector<std::uint8_t> buffer;
  for (const Base64 alphabet : {Base64::standard, Base64::url}) {
    for (std::size_t n = 250; n <= all.size(); ++n) {
      const auto decoded = decode(alphabet, encode(alphabet, all.substr(0, n)), buffer);
      ASSERT_TRUE(decoded);
      EXPECT_EQ(text_of(*decoded), all.substr(0, n));
    }
  }
}

TEST(Base64, RefusesABufferThatIsTooSmall) {
  ByteArray<2> small;
  const auto decoded = base64_decode(Base64::standard, bytes_of("Zm9v"), small, "test");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::no_space);
  EXPECT_EQ(decoded.error().found, 3U);
  EXPECT_EQ(decoded.error().expected, 2U);
}

}  // namespace
}  // namespace attestbed
