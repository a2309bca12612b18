// SPDX-License-Identifier: Apache-2.0
#include "core/snp/cpuid_message.h"
#include "core/snp/key_message.h"
#include "core/snp/tsc_info_message.h"
#include "sim/firmware_fixture.h"

// Every truncation and every single-bit flip of a request page, and of the message in it.
namespace attestbed::sim {
namespace {

using Octets = std::vector<std::uint8_t>;

struct Good {
  const char* name;
  snp::MsgType type;
  std::uint8_t version;
  Octets payload;
  std::size_t reply_size;
};

template <class T>
Octets vector_of(const T& value) {
  return {octets(value).begin(), octets(value).end()};
}

std::vector<Good> good_messages() {
  struct {
    snp::MsgCpuidReq head{2, 0, 0};
    snp::CpuidFunction functions[2]{};
  } cpuid;
  cpuid.functions[0].eax_in = 1;
  cpuid.functions[1].eax_in = 0x8000001f;
  snp::MsgKeyReq2 key{};
  key.base.guest_field_select = 0x7f;
  return {{"REPORT", snp::MsgType::report_req, 1, vector_of(request()), 1216},
          {"KEY", snp::MsgType::key_req, 1, vector_of(key.base), 64},
          {"KEY version 2", snp::MsgType::key_req, 2, vector_of(key), 64},
          {"TSC_INFO", snp::MsgType::tsc_info_req, 1, Octets(128), 128},
          {"CPUID", snp::MsgType::cpuid_req, 1, vector_of(cpuid), 16 + 2 * 48}};
}

// What no bit of which is authenticated: the second half of AUTHTAG, the reserved octets before ALGO, and what follows
// the payload.
bool is_free(std::size_t at, std::size_t payload) {
  return (at >= 0x10 && at < 0x20) || (at >= 0x28 && at < 0x30) || at >= 0x60 + payload;
}

/// Sender sends page after page, whether the one before was counted or not.
class Sender : public MessagingGuest {
 public:
  explicit Sender(const Good& good) : good_(good) {}
  snp::Page page() const { return page(good_.payload); }
  snp::Page page(Bytes payload) const {
    return sealed({.seqno = firmware.guest().message_count[0] + 1, .type = good_.type, .version = good_.version},
                  payload);
  }

 private:
  const Good good_;
};

TEST(RequestPage, EveryTruncationIsRefusedUntilOnlyItsTailIsCut) {
  for (const Good& good : good_messages()) {
    Sender guest(good);
    const std::size_t whole = 0x60 + good.payload.size();
    // A page is always 4096 octets: what is cut off is zero. Zeros at the end of a whole page change nothing.
    for (std::size_t n = 0; n <= whole; ++n) {
      snp::Page page = guest.page();
      const bool last_octet_was_zero = n == whole - 1 && page[n] == 0;
      std::fill(page.begin() + static_cast<std::ptrdiff_t>(n), page.end(), 0);
      EXPECT_EQ(guest.call(page) == 0, n == whole || last_octet_was_zero) << good.name << ' ' << n;
    }
  }
}

TEST(RequestPage, EveryFlippedBitIsRefusedOrIsNoneOfTheMessages) {
  for (const Good& good : good_messages()) {
    Sender guest(good);
    // A signed report takes long, and what follows the payload is looked at for no type: half a page will do for it.
    const std::size_t end = good.type == snp::MsgType::report_req ? 0x60 + good.payload.size() + 16 : 4096;
    snp::Page page = guest.page();
    for (std::size_t bit = 0; bit < 8 * end; ++bit) {
      page[bit / 8] = static_cast<std::uint8_t>(page[bit / 8] ^ (1U << bit % 8));
      const std::uint32_t status = guest.call(page);
      if (is_free(bit / 8, good.payload.size())) {
        ASSERT_EQ(status, 0U) << good.name << ' ' << bit;
        page = guest.page();
        continue;
      }
      ASSERT_TRUE(status == 0x16 || status == 0x0b) << good.name << ' ' << bit << ' ' << status;
      page[bit / 8] = static_cast<std::uint8_t>(page[bit / 8] ^ (1U << bit % 8));
    }
  }
}

// Behind the tag stands a guest, who may be hostile, too.
TEST(RequestPage, EveryFlippedBitOfAPayloadIsAnswered) {
  for (const Good& good : good_messages()) {
    Sender guest(good);
    for (std::size_t bit = 0; bit < 8 * good.payload.size(); ++bit) {
      Octets payload = good.payload;
      payload[bit / 8] = static_cast<std::uint8_t>(payload[bit / 8] ^ (1U << bit % 8));
      ASSERT_EQ(guest.call(guest.page(payload)), 0U) << good.name << ' ' << bit;
      snp::Page scratch;
      const auto opened = snp::open_guest_message(guest.firmware.guest().vmpcks[0], guest.reply, scratch);
      ASSERT_TRUE(opened);
      const bool served = guest.firmware.last_call().status == FirmwareStatus::success;
      EXPECT_EQ(opened->payload[0], static_cast<std::uint8_t>(guest.firmware.last_call().status));
      if (served) {
        EXPECT_EQ(opened->payload.size(), good.reply_size) << good.name << ' ' << bit;
      } else {
        EXPECT_TRUE(all_zero(opened->payload.subspan(4))) << good.name << ' ' << bit;
      }
    }
  }
}

TEST(RequestPage, EveryLengthOfAPayloadIsAnsweredOrRefused) {
  for (const Good& good : good_messages()) {
    Sender guest(good);
    for (std::size_t size = 16; size <= 4000; size += 16) {
      Octets payload = good.payload;
      payload.resize(size);
      const std::uint32_t status = guest.call(guest.page(payload));
      const bool cpuid = good.type == snp::MsgType::cpuid_req;
      const bool whole = size == good.payload.size() || (good.version == 2 && size == 48);
      EXPECT_EQ(status, cpuid || whole ? 0U : 0x16U) << good.name << ' ' << size;
      if (cpuid) {
        EXPECT_EQ(guest.firmware.last_call().status == FirmwareStatus::success, whole) << size;
      }
    }
  }
}

}  // namespace
}  // namespace attestbed::sim
