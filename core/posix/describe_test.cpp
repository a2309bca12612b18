// SPDX-License-Identifier: Apache-2.0
#include "core/posix/describe.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace attestbed::posix {
namespace {

struct Sentence {
  const char* name;
  Error error;
  const char* begins;  // up to the remedy, which is the table's
};
const Sentence kSentences[] = {
    {"Values",
     {Errc::bad_length, "decryption.iv", 11, 12},
     "bad_length: a field that has one legal length has another (at decryption.iv; expected 12, found 11): "},
    {"NoNumbers",
     {Errc::jwe_header, "protected.alg"},
     "jwe_header: the protected JWE header is not what this guest accepts (at protected.alg): "},
    {"Bound",
     {Errc::too_large, "secret", 70000, 32768},
     "too_large: a length is above its documented bound (at secret; at most 32768, found 70000): "},
    {"Offset",
     {Errc::bad_json, "JSON", 17, 0},
     "bad_json: the text is not JSON (RFC 8259) or not UTF-8 (at JSON; octet 17): "},
    // Errors as their makers fill them; none may read as if a value had been compared.
    {"OffsetOfAType",
     {Errc::json_type, "NegotiationRequest.version", 57, 0},
     "json_type: a member has another JSON type than documented (at NegotiationRequest.version; octet 57): "},
    {"OffsetOfADuplicate",
     {Errc::json_duplicate, "JSON member", 30, 0},
     "json_duplicate: an object names a member twice (at JSON member; octet 30): "},
    {"LengthOfAName",
     {Errc::bad_value, "ext.error.phase", 8, 0},
     "bad_value: a field has a value outside its documented set (at ext.error.phase): "},
    {"PlaceInAPath",
     {Errc::bad_value, "--resource", 7, 0},
     "bad_value: a field has a value outside its documented set (at --resource): "},
    {"PartsOfAPath",
     {Errc::bad_value, "--resource", 2, 3},
     "bad_value: a field has a value outside its documented set (at --resource; expected 3, found 2): "},
    {"LengthsOfTexts",
     {Errc::jwe_header, "protected.alg", 14, 14},
     "jwe_header: the protected JWE header is not what this guest accepts (at protected.alg): "},
    {"WhatIsLeft",
     {Errc::trailing_bytes, "JSON", 57, 0},
     "trailing_bytes: octets follow where the input must end (at JSON; 57 octets): "},
    {"Bits",
     {Errc::report_reserved, "report 0x048 bits 31:5", 32, 0},
     "report_reserved: octets or values that this report version reserves are in use (at report 0x048 bits 31:5; found "
     "0x20): "},
    {"NothingInAFrame",
     {Errc::frame_empty, "frame length", 0, 65536},
     "frame_empty: a frame announces zero octets (at frame length): "},
    {"NoRoom",
     {Errc::no_space, "nonce", 0, 44},
     "no_space: the caller's buffer is too small for the result (at nonce; at most 44): "},
    {"SystemError",
     {Errc::transport, "connect", ENOENT},
     "transport: the line failed: connect, read or write (at connect; No such file or directory): "},
    {"UnknownSystemError",
     {Errc::io_failed, "ioctl", 1'000'000},
     "io_failed: a file or device could not be read or written (at ioctl; errno 1000000): "},
    {"Exit",
     {Errc::firmware_refused, "exit", 0xffffffff'00000000},
     "firmware_refused: the firmware or hypervisor refused the guest request (at exit; found hypervisor: "
     "0xffffffff): "},
    {"ExitOfTheFirmware",
     {Errc::firmware_refused, "SNP_LAUNCH_START.POLICY", 7},
     "firmware_refused: the firmware or hypervisor refused the guest request (at SNP_LAUNCH_START.POLICY; found "
     "POLICY_FAILURE (0x7)): "},
    {"Status",
     {Errc::firmware_status, "MSG_REPORT_RSP.STATUS", 0x27},
     "firmware_status: the firmware answered with a status other than success (at MSG_REPORT_RSP.STATUS; found "
     "INVALID_KEY (0x27)): "},
    {"Busy",
     {Errc::firmware_busy, "SW_EXITINFO2", 2},
     "firmware_busy: the host answered BUSY until the deadline (at SW_EXITINFO2): "},
    {"NowhereAndNothing",
     {Errc::refused, nullptr},
     "refused: the attestation was refused without a reason that this guest knows: "},
};

class Describe : public testing::TestWithParam<Sentence> {};
TEST_P(Describe, SaysWhatWhereExpectedFoundAndWhatToDo) {
  EXPECT_EQ(describe(GetParam().error), GetParam().begins + std::string(error_row(GetParam().error.code).remedy));
}
INSTANTIATE_TEST_SUITE_P(Errors, Describe, testing::ValuesIn(kSentences), [](const auto& i) { return i.param.name; });

TEST(Describe, AnAddressThatIsTakenIsNoMissingPath) {
  EXPECT_EQ(
      describe({Errc::io_failed, "bind", EADDRINUSE}),
      "io_failed: a file or device could not be read or written (at bind; Address already in use): another process "
      "listens there, or left its socket file behind: stop it or remove the file, or choose another address");
  // With an expected value `found` is no errno.
  EXPECT_EQ(describe({Errc::io_failed, "length", EADDRINUSE, 1}),
            "io_failed: a file or device could not be read or written (at length; expected 1, found 98): " +
                std::string(error_row(Errc::io_failed).remedy));
}

TEST(Describe, TheSearchForAKeyWaitsForNobody) {
  EXPECT_EQ(describe({Errc::deadline, "RSA key creation"}),
            "deadline: what was waited for did not come before the deadline (at RSA key creation): give it more time "
            "with --timeout (attest.timeout= of a guest that boots), or choose --key P-256, which takes none");
}

TEST(Describe, IsOneLineForEveryCode) {
  for (const ErrorRow& row : error_rows()) {
    const std::string text = describe({row.code, "field", 3, 2});
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_EQ(text.rfind(row.name, 0), 0U) << text;
  }
}

TEST(Hex, ReadsWhatItWrites) {
  std::string octets;
  ASSERT_TRUE(from_hex("00ff7f80deadbeef", octets));
  EXPECT_EQ(octets, std::string("\x00\xff\x7f\x80\xde\xad\xbe\xef", 8));
  EXPECT_EQ(to_hex(bytes_of(octets)), "00ff7f80deadbeef");
  EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, ReadsEitherCase) {
  std::string octets;
  ASSERT_TRUE(from_hex("aBCdEf", octets));
  EXPECT_EQ(octets, "\xab\xcd\xef");
  ASSERT_TRUE(from_hex("", octets));
  EXPECT_EQ(octets, "");
}

TEST(Hex, RefusesEverythingElse) {
  // Each neighbour of the three ranges of digits, an odd length, a prefix and a space.
  for (const char* text : {"0", "0/", "0:", "0@", "0G", "0`", "0g", "0x00", " 00", "00 ", "0\xff"}) {
    std::string octets = "left over";
    EXPECT_FALSE(from_hex(text, octets)) << text;
    EXPECT_EQ(octets, "");
  }
}

}  // namespace
}  // namespace attestbed::posix
