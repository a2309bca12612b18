// SPDX-License-Identifier: Apache-2.0
#include "core/snp/guest_message.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "core/posix/describe.h"

namespace attestbed::snp {
namespace {

const Vmpck& test_key() {
  static const Vmpck key = [] {
    Vmpck made;
    for (std::size_t i = 0; i < 32; ++i) made.expose_mut()[i] = static_cast<std::uint8_t>(i);
    return made;
  }();
  return key;
}

Page sealed(std::string_view payload, std::uint64_t seqno = 1) {
  Page page;
  EXPECT_TRUE(seal_guest_message(test_key(), {MsgType::report_req, 1, 0, seqno, bytes_of(payload)}, page));
  return page;
}

// Made with another implementation (Python `cryptography` AESGCM): key 00..1f, IV 0100000000000000 00000000,
// AAD = header 0x30..0x5f, plaintext "attestbed guest!".
TEST(GuestMessage, MatchesAnIndependentImplementation) {
  const Page page = sealed("attestbed guest!");
  EXPECT_EQ(posix::to_hex(Bytes(page).subspan(0x30, 0x30)),
            "010160000501100000000000000000000000000000000000"
            "000000000000000000000000000000000000000000000000");
  EXPECT_EQ(posix::to_hex(Bytes(page).first(16)), "b98fe856283e3df3dab9ba04867380b9");
  EXPECT_EQ(posix::to_hex(Bytes(page).subspan(0x60, 16)), "8358f65ad7db8e622e2462b659b2fcea");
  EXPECT_EQ(posix::to_hex(Bytes(page).subspan(0x20, 8)), "0100000000000000");
}

TEST(GuestMessage, OpensWhatWasSealed) {
  const std::string largest(kMaxPayloadBytes, 'p');
  for (const std::string& payload : {std::string("x"), std::string(96, 'q'), largest}) {
    const Page page = sealed(payload, 77);
    Page scratch;
    const auto opened = open_guest_message(test_key(), page, scratch);
    ASSERT_TRUE(opened);
    EXPECT_EQ(text_of(opened->payload), payload);
    EXPECT_EQ(opened->seqno, 77U);
    EXPECT_EQ(opened->type, MsgType::report_req);
  }
}

TEST(GuestMessage, RefusesPayloadsThatNoPageHolds) {
  Page page;
  EXPECT_EQ(seal_guest_message(test_key(), {MsgType::report_req, 1, 0, 1, {}}, page).error().code, Errc::bad_length);
  const std::string big(kMaxPayloadBytes + 1, 'x');
  EXPECT_EQ(seal_guest_message(test_key(), {MsgType::report_req, 1, 0, 1, bytes_of(big)}, page).error().code,
            Errc::bad_length);
}

struct Mutation {
  const char* name;
  std::size_t offset;
  std::uint8_t value;
  Errc code;
  const char* where;
};
class GuestMessageRejects : public testing::TestWithParam<Mutation> {};
TEST_P(GuestMessageRejects, OneChangedOctet) {
  Page page = sealed("attestbed guest!");
  page[GetParam().offset] = GetParam().value;
  Page scratch;
  const auto opened = open_guest_message(test_key(), page, scratch);
  ASSERT_FALSE(opened);
  EXPECT_STREQ(error_name(opened.error().code), error_name(GetParam().code));
  EXPECT_STREQ(opened.error().where, GetParam().where);
  EXPECT_EQ(scratch, Page{}) << "nothing of an unauthenticated page stays behind";
}
INSTANTIATE_TEST_SUITE_P(
    Table, GuestMessageRejects,
    testing::Values(Mutation{"Algo", 0x30, 2, Errc::bad_value, "message header ALGO"},
                    Mutation{"HeaderVersion", 0x31, 2, Errc::bad_value, "message header HDR_VERSION"},
                    Mutation{"HeaderSize", 0x32, 0x61, Errc::bad_value, "message header HDR_SIZE"},
                    Mutation{"PayloadZero", 0x36, 0, Errc::bad_value, "message header MSG_SIZE"},
                    Mutation{"PayloadHuge", 0x37, 0xff, Errc::bad_value, "message header MSG_SIZE"},
                    Mutation{"Vmpck4", 0x3c, 4, Errc::bad_value, "message header MSG_VMPCK"},
                    Mutation{"PayloadLonger", 0x36, 17, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"Type", 0x34, 6, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"Version", 0x35, 2, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"ReservedInAad", 0x5f, 1, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"Seqno", 0x20, 2, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"TagFirst", 0x00, 0, Errc::firmware_reply, "message header AUTHTAG"},
                    Mutation{"Ciphertext", 0x60, 0, Errc::firmware_reply, "message header AUTHTAG"}),
    [](const auto& row) { return row.param.name; });

TEST(GuestMessage, EveryFlippedBitOfTagSeqnoAadAndCiphertextIsNoticed) {
  const Page good = sealed("attestbed guest!");
  for (std::size_t octet = 0; octet < 0x70; ++octet) {
    // Upper half of AUTHTAG and the octets before the AAD are neither used nor authenticated (real firmware
    // leaves some of them set).
    if ((octet >= 0x10 && octet < 0x20) || (octet >= 0x28 && octet < 0x30)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      Page page = good;
      page[octet] = static_cast<std::uint8_t>(page[octet] ^ (1U << bit));
      Page scratch;
      EXPECT_FALSE(open_guest_message(test_key(), page, scratch)) << octet << "." << bit;
    }
  }
}

TEST(Vmpck, IsFoundInTheSecretsPageAndAWipedOneIsLost) {
  Page page{};
  for (std::size_t i = 0; i < 128; ++i) page[0x20 + i] = static_cast<std::uint8_t>(i + 1);
  for (unsigned number = 0; number < kVmpckCount; ++number) {
    const auto key = vmpck_from_secrets_page(page, number);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->expose()[0], number * 32 + 1);
  }
  EXPECT_EQ(vmpck_from_secrets_page(page, 4).error().code, Errc::bad_value);
  EXPECT_EQ(vmpck_from_secrets_page(Bytes(page).first(4095), 0).error().code, Errc::bad_length);
  std::memset(page.data() + 0x40, 0, 32);
  EXPECT_EQ(vmpck_from_secrets_page(page, 1).error().code, Errc::vmpck_lost);
}

}  // namespace
}  // namespace attestbed::snp
