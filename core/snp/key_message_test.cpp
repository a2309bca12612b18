// SPDX-License-Identifier: Apache-2.0
#include "core/snp/key_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/snp/guest_channel.h"
#include "core/snp/tsc_info_message.h"

namespace attestbed::snp {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets key_rsp() {
  Octets rsp(64);
  std::fill(rsp.begin() + 32, rsp.end(), 0x77);
  return rsp;
}

Octets tsc_info_rsp() {
  Octets rsp(128);
  rsp[0x0c] = 1;     // TSC_SCALE 1.0
  rsp[0x10] = 0x2a;  // TSC_OFFSET
  rsp[0x18] = 200;   // TSC_FACTOR
  return rsp;
}

TEST(KeySelect, HasRootAndSelectorInItsLowBits) {
  EXPECT_EQ(key_select(kRootKeyVek, kKeySelVlekIfLoaded), 0U);
  EXPECT_EQ(key_select(kRootKeyVmrk, kKeySelVcek), 3U);
  EXPECT_EQ(key_select(kRootKeyVek, kKeySelVlek), 4U);
}

TEST(KeyRsp, HoldsTheKey) {
  const auto key = parse_key_rsp(key_rsp());
  ASSERT_TRUE(key);
  EXPECT_TRUE(std::ranges::equal(key->expose(), Octets(32, 0x77)));
}

TEST(KeyRsp, RejectsEveryOtherLengthReservedOctetsAndStatus) {
  const Octets good = key_rsp();
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(parse_key_rsp(Bytes(good).first(n)).error().code, Errc::truncated) << n;
  }
  Octets longer = good;
  longer.push_back(0);
  EXPECT_EQ(parse_key_rsp(longer).error().code, Errc::trailing_bytes);
  for (std::size_t at = 4; at < 32; ++at) {
    Octets set = good;
    set[at] = 0x80;
    EXPECT_EQ(parse_key_rsp(set).error().code, Errc::reserved_set) << at;
  }
  Octets refused(64);
  refused[0] = 0x27;
  EXPECT_EQ(parse_key_rsp(refused).error().code, Errc::firmware_status);
  EXPECT_EQ(parse_key_rsp(refused).error().found, 0x27U);
}

TEST(TscInfoRsp, HoldsScaleOffsetAndFactor) {
  const auto info = parse_tsc_info_rsp(tsc_info_rsp());
  ASSERT_TRUE(info);
  EXPECT_EQ(*info, (TscInfo{.scale = 1ULL << 32, .offset = 0x2a, .factor = 200}));
}

TEST(TscInfoRsp, RejectsEveryOtherLengthAndStatus) {
  Octets good = tsc_info_rsp();
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(parse_tsc_info_rsp(Bytes(good).first(n)).error().code, Errc::truncated) << n;
  }
  good.push_back(0);
  EXPECT_EQ(parse_tsc_info_rsp(good).error().code, Errc::trailing_bytes);
  good.pop_back();
  good[3] = 1;
  EXPECT_EQ(parse_tsc_info_rsp(good).error().code, Errc::firmware_status);
}

constexpr ByteArray<32> kKey{1, 2, 3};
Vmpck vmpck() {
  return Vmpck(std::span<const std::uint8_t, 32>(kKey));
}

/// SealedReply answers with a plaintext of the test's choice, honestly sealed.
class SealedReply final : public GuestRequestPort {
 public:
  explicit SealedReply(Bytes plaintext) : plaintext_(plaintext) {}
  Result<GuestRequestExit> call(const Page& request, Page& reply, Deadline) override {
    const auto type = static_cast<MsgType>(request[0x34] + 1);
    TRY(seal_guest_message(vmpck(), {type, request[0x35], 0, std::uint64_t{request[0x20]} + 1, plaintext_}, reply));
    return GuestRequestExit{};
  }

 private:
  Bytes plaintext_;
};

class StoppedClock final : public Clock {
 public:
  Instant now() override { return {}; }
  void wait_until(Instant) override {}
};

/// Answered is a channel whose firmware answers so.
class Answered : public testing::Test {
 protected:
  GuestChannel& channel(Bytes plaintext) {
    port_.emplace(plaintext);
    channel_.emplace(vmpck(), *port_, clock_, pages_, GuestChannel::Options{});
    return *channel_;
  }
  StoppedClock clock_;
  ChannelPages pages_{};
  std::optional<SealedReply> port_;
  std::optional<GuestChannel> channel_;
};

TEST_F(Answered, TheDerivedKeyIsLeftNowhereButWithTheCaller) {
  const Octets rsp = key_rsp();
  const auto key = channel(rsp).derived_key(MsgKeyReq{}, kNever);
  ASSERT_TRUE(key);
  EXPECT_TRUE(std::ranges::equal(key->expose(), Octets(32, 0x77)));
  EXPECT_EQ(std::ranges::count(pages_.scratch, 0x77), 0);
  EXPECT_TRUE(channel_->usable());
}

TEST_F(Answered, AStatusKeepsTheKeyAndAnyOtherFormLosesIt) {
  Octets refused(64);
  refused[0] = 0x16;
  EXPECT_EQ(channel(refused).derived_key(MsgKeyReq{}, kNever).error().code, Errc::firmware_status);
  EXPECT_TRUE(channel_->usable());
  const Octets short_key(48);
  EXPECT_EQ(channel(short_key).derived_key(MsgKeyReq{}, kNever).error().code, Errc::firmware_reply);
  EXPECT_FALSE(channel_->usable());
  const Octets info = tsc_info_rsp();
  EXPECT_EQ(channel(info).tsc_info(kNever)->factor, 200U);
  EXPECT_EQ(channel(short_key).tsc_info(kNever).error().code, Errc::firmware_reply);
  EXPECT_FALSE(channel_->usable());
}

}  // namespace
}  // namespace attestbed::snp
