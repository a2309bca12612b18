// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace attestbed {
namespace {

Status whole(std::string text) {
  JsonReader json(MutBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  if (const Status skipped = json.skip(); !skipped) return skipped.error();
  return json.done();
}

Result<std::string> string_of(std::string text) {
  JsonReader json(MutBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  const auto octets = json.string("test");
  if (!octets) return octets.error();
  if (const Status end = json.done(); !end) return end.error();
  return std::string(text_of(*octets));
}

constexpr const char* kWellFormed[] = {
    "0",
    "-0",
    "-1.5e+10",
    "1E5",
    "10",
    "true",
    "false",
    "null",
    "\"\"",
    "[]",
    "{}",
    " \t\r\n[ 1 , 2 ] ",
    R"({"a":1,"b":[{"c":"d"}]})",
    R"("\u00e9\ud83d\ude00\n\/")",
    "\"\xc3\xa9\xf0\x9f\x98\x80\"",
    "[[[[[[[[]]]]]]]]",
};
TEST(Json, AcceptsWhatRfc8259Allows) {
  for (const char* text : kWellFormed) {
    EXPECT_TRUE(whole(text)) << text;
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  }
}

struct Malformed {
  const char* name;
  std::string text;
  Errc code;
};
class JsonRejects : public testing::TestWithParam<Malformed> {};
TEST_P(JsonRejects, WithItsCode) {
  const Status status = whole(GetParam().text);
  ASSERT_FALSE(status);
  EXPECT_STREQ(error_name(status.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, JsonRejects,
    testing::Values(
        Malformed{"Empty", "", Errc::bad_json}, Malformed{"Space", " ", Errc::bad_json},
        Malformed{"LeadingZero", "01", Errc::trailing_bytes}, Malformed{"LonePoint", "1.", Errc::bad_json},
        Malformed{"LoneMinus", "-", Errc::bad_json}, Malformed{"LoneExponent", "1e", Errc::bad_json},
        Malformed{"PlusSign", "+1", Errc::bad_json}, Malformed{"HalfLiteral", "tru", Errc::bad_json},
        Malformed{"OpenString", "\"a", Errc::bad_json}, Malformed{"OpenEscape", "\"\\", Errc::bad_json},
        Malformed{"UnknownEscape", R"("\x")", Errc::bad_json}, Malformed{"ShortHex", R"("\u12")", Errc::bad_json},
        Malformed{"LoneHighSurrogate", R"("\ud800")", Errc::bad_json},
        Malformed{"LoneLowSurrogate", R"("\udc00")", Errc::bad_json},
        Malformed{"HighThenNoLow", R"("\ud800\u0041")", Errc::bad_json},
        Malformed{"ControlCharacter", std::string("\"\x01\""), Errc::bad_json},
        Malformed{"NulInside", std::string("\"a\0b\"", 5), Errc::bad_json},
        Malformed{"OverlongUtf8", "\"\xc0\x80\"", Errc::bad_json}, Malformed{"CutUtf8", "\"\xe2\x82\"", Errc::bad_json},
        Malformed{"SurrogateUtf8", "\"\xed\xa0\x80\"", Errc::bad_json},
        Malformed{"AboveUnicode", "\"\xf4\x90\x80\x80\"", Errc::bad_json},
        Malformed{"BareOctet", "\"\xff\"", Errc::bad_json}, Malformed{"TrailingComma", "[1,]", Errc::bad_json},
        Malformed{"LeadingComma", "[,1]", Errc::bad_json}, Malformed{"MemberComma", R"({"a":1,})", Errc::bad_json},
        Malformed{"NoColon", R"({"a" 1})", Errc::bad_json}, Malformed{"NameNotString", "{1:2}", Errc::bad_json},
        Malformed{"OpenArray", "[1", Errc::bad_json}, Malformed{"WrongBracket", "[1}", Errc::bad_json},
        Malformed{"Comment", "[1/**/]", Errc::bad_json}, Malformed{"TwoValues", "1 2", Errc::trailing_bytes},
        Malformed{"ByteOrderMark", "\xef\xbb\xbf{}", Errc::bad_json},
        Malformed{"Duplicate", R"({"a":1,"a":1})", Errc::json_duplicate},
        Malformed{"DuplicateEscaped", R"({"a":1,"\u0061":1})", Errc::json_duplicate},
        Malformed{"DuplicateDeep", R"([{"x":{"b":1,"b":2}}])", Errc::json_duplicate},
        Malformed{"TooDeep", "[[[[[[[[[]]]]]]]]]", Errc::json_depth},
        Malformed{"DeepBomb", std::string(60000, '['), Errc::json_depth}),
    [](const auto& row) { return row.param.name; });

TEST(Json, RefusesMoreMembersThanItCanCompare) {
  std::string text = "{";
  for (unsigned i = 0; i < kMaxJsonMembers; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  EXPECT_TRUE(whole(text + "}"));
  const Status status = whole(text + ",\"x\":0}");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::json_depth);
}

TEST(Json, UnescapesLikeAnIndependentParser) {
  for (const char* text :
       {R"("plain text of more than eight octets")", R"("\"\\\/\b\f\n\r\t")", R"("a\u0041b\u00e9c\u20acd")",
        R"("\ud83d\ude00 tail")", R"("\u0000")", "\"1234567\\n89abcdef\xc3\xa9ghijklmnop\"", R"("\uABcd\uabCD")"}) {
    const auto ours = string_of(text);
    ASSERT_TRUE(ours) << text;
    EXPECT_EQ(*ours, nlohmann::json::parse(text).get<std::string>()) << text;
  }
}

TEST(Json, ReadsIntegersExactly) {
  const auto read = [](std::string text, std::uint64_t max) {
    JsonReader json(MutBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    return json.unsigned_integer(max, "test");
  };
  EXPECT_EQ(*read("0", 0), 0U);
  EXPECT_EQ(*read("18446744073709551615", ~0ULL), ~0ULL);
  EXPECT_EQ(read("18446744073709551616", ~0ULL).error().code, Errc::bad_value);
  EXPECT_EQ(*read("4294967295", 4294967295U), 4294967295U);
  EXPECT_EQ(read("4294967296", 4294967295U).error().code, Errc::bad_value);
  EXPECT_EQ(read("4294967296", 4294967295U).error().found, 4294967296U);
  EXPECT_EQ(read("18446744073709551615", 4294967295U).error().found, ~0ULL);
  EXPECT_EQ(read("18446744073709551616", 4294967295U).error().found, ~0ULL);  // the most that an Error can say
  EXPECT_EQ(read("4294967296.0", 4294967295U).error().code, Errc::json_type);
  EXPECT_EQ(read("7", 3).error().code, Errc::bad_value);
  for (const char* text : {"-1", "1.0", "1e0", "-0"}) EXPECT_EQ(read(text, 9).error().code, Errc::json_type) << text;
  EXPECT_EQ(read("\"1\"", 9).error().code, Errc::json_type);
}

TEST(Json, EveryTruncationOfAMessageIsRefused) {
  const std::string text = R"({"version":[0,1,0],"tee":"snp","x":{"y":[true,null,-1.5e3,"\u00e9"]}})";
  ASSERT_TRUE(whole(text));
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(whole(text.substr(0, n))) << n;
}

TEST(JsonWriter, EmitsWhatAnIndependentParserReads) {
  ByteArray<256> buffer;
  Writer out(buffer);
  JsonWriter json(out);
  json.begin_object();
  json.name("numbers");
  json.begin_array();
  json.number(0);
  json.number(~0ULL);
  json.end_array();
  json.name("text");
  json.string("quote \" backslash \\ bell \x07 end");
  json.name("empty");
  json.begin_object();
  json.end_object();
  json.name("flag");
  json.boolean(false);
  json.name("nothing");
  json.null();
  json.name("octets");
  json.base64(Base64::standard, bytes_of("foob"));
  json.end_object();
  const auto parsed = nlohmann::json::parse(text_of(*out.finish("test")));
  EXPECT_EQ(parsed["numbers"][1], ~0ULL);
  EXPECT_EQ(parsed["text"], "quote \" backslash \\ bell \x07 end");
  EXPECT_EQ(parsed["octets"], "Zm9vYg==");
  EXPECT_EQ(parsed.size(), 6U);
}

TEST(JsonWriter, ABufferThatIsTooSmallIsAnErrorAndNotACut) {
  ByteArray<8> buffer;
  Writer out(buffer);
  JsonWriter json(out);
  json.string("does not fit");
  const auto text = out.finish("test");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::no_space);
}

}  // namespace
}  // namespace attestbed
