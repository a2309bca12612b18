// SPDX-License-Identifier: Apache-2.0
#include "sim/hypervisor.h"

#include <gtest/gtest.h>

#include "core/snp/certificate_table.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware_fixture.h"
#include "sim/manual_clock.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

/// CountingPort answers with the number of the call in each octet.
class CountingPort final : public snp::GuestRequestPort {
 public:
  Result<snp::GuestRequestExit> call(const snp::Page&, snp::Page& reply, Deadline) override {
    reply.fill(++calls);
    return snp::GuestRequestExit{};
  }
  std::uint8_t calls = 0;
};

class HypervisorTest : public testing::Test {
 protected:
  Hypervisor host(HostConfig config) { return {firmware_, std::move(config), clock_}; }
  Result<snp::GuestRequestExit> call(Hypervisor& host, std::chrono::nanoseconds budget = 1s) {
    return host.call({}, reply_, clock_.now() + budget);
  }
  CountingPort firmware_;
  ManualClock clock_;
  snp::Page reply_{};
};

TEST_F(HypervisorTest, CarriesRequestsOnWithoutAPlan) {
  Hypervisor plain = host({});
  const Instant before = clock_.now();
  ASSERT_TRUE(call(plain));
  EXPECT_EQ(reply_[0], 1);
  EXPECT_EQ(plain.last_fault(), nullptr);
  EXPECT_EQ(clock_.now(), before);
}

TEST_F(HypervisorTest, BusyLengthAndStatusNeverReachTheFirmware) {
  Hypervisor lies = host({.faults = {{1, false, FaultKind::busy, {}},
                                     {2, false, FaultKind::firmware_status, 0x1d},
                                     {3, false, FaultKind::invalid_len, {}}}});
  EXPECT_EQ(call(lies)->vmm, snp::kVmmBusy);
  EXPECT_EQ(call(lies)->firmware, 0x1dU);
  EXPECT_EQ(call(lies)->vmm, snp::kVmmInvalidLen);
  EXPECT_EQ(firmware_.calls, 0);
  EXPECT_EQ(call(lies)->vmm, 0U);
  EXPECT_EQ(firmware_.calls, 1);
}

TEST_F(HypervisorTest, FlipsTheBitItWasTold) {
  Hypervisor flips = host({.faults = {{1, false, FaultKind::flip_bit, 32767}}});
  ASSERT_TRUE(call(flips));
  EXPECT_EQ(reply_[4095], 0x81);
  EXPECT_EQ(reply_[0], 1);
}

TEST_F(HypervisorTest, HandsBackThePageBefore) {
  Hypervisor swaps = host({.faults = {{1, false, FaultKind::wrong_page, {}}, {3, false, FaultKind::wrong_page, {}}}});
  ASSERT_TRUE(call(swaps));
  EXPECT_EQ(reply_, snp::Page{}) << "there was none before the first";
  ASSERT_TRUE(call(swaps));
  EXPECT_EQ(reply_[0], 2);
  ASSERT_TRUE(call(swaps));
  EXPECT_EQ(reply_[0], 2);
}

TEST_F(HypervisorTest, TearsAPageWhereItWasTold) {
  Hypervisor tears = host({.faults = {{2, false, FaultKind::torn, 100}}});
  ASSERT_TRUE(call(tears));
  ASSERT_TRUE(call(tears));
  EXPECT_EQ(reply_[99], 2);
  EXPECT_EQ(reply_[100], 1);
  EXPECT_EQ(reply_[4095], 1);
}

TEST_F(HypervisorTest, DelaysAnAnswerButNotBeyondTheDeadline) {
  Hypervisor late = host({.faults = {{1, true, FaultKind::delay, 700}}});
  const Instant before = clock_.now();
  ASSERT_TRUE(call(late));
  EXPECT_EQ(clock_.now() - before, 700ms);
  EXPECT_EQ(call(late, 500ms).error().code, Errc::deadline);
  EXPECT_EQ(clock_.now() - before, 1200ms);
  EXPECT_EQ(firmware_.calls, 2) << "the firmware did its part";
}

TEST_F(HypervisorTest, SilenceLastsUntilTheDeadline) {
  Hypervisor mute = host({.faults = {{1, false, FaultKind::silence, {}}}});
  const Instant before = clock_.now();
  const auto exit = call(mute);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Errc::deadline);
  EXPECT_EQ(clock_.now() - before, 1s);
  EXPECT_EQ(firmware_.calls, 1) << "the firmware did its part";
}

TEST_F(HypervisorTest, TenReportsThenTenSeconds) {
  Hypervisor gcp = host({.profile = *throttle_profile_named("gcp-milan")});
  const Instant before = clock_.now();
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(call(gcp));
    EXPECT_EQ(clock_.now() - before, i * 8ms);
  }
  ASSERT_TRUE(call(gcp, 60s));
  EXPECT_EQ(clock_.now() - before, 80ms + 10s + 8ms);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(call(gcp));
  EXPECT_EQ(call(gcp, 1s).error().code, Errc::deadline);
  EXPECT_EQ(firmware_.calls, 20);
  clock_.advance(10s);
  const Instant rested = clock_.now();
  ASSERT_TRUE(call(gcp));
  EXPECT_EQ(clock_.now() - rested, 8ms) << "a guest that waited by itself is not held";
}

TEST_F(HypervisorTest, ASlowHostIsBusyBetweenRequests) {
  Hypervisor slow = host({.profile = *throttle_profile_named("slow")});
  EXPECT_EQ(call(slow)->vmm, 0U);
  EXPECT_EQ(call(slow)->vmm, snp::kVmmBusy);
  clock_.advance(1999ms);
  EXPECT_EQ(call(slow)->vmm, snp::kVmmBusy);
  clock_.advance(1ms);
  EXPECT_EQ(call(slow)->vmm, 0U);
  EXPECT_EQ(firmware_.calls, 2);
}

TEST(ThrottleProfiles, HaveNames) {
  EXPECT_EQ(throttle_profiles().front().name, "fast");
  for (const ThrottleProfile& profile : throttle_profiles()) {
    EXPECT_EQ(throttle_profile_named(profile.name)->name, profile.name);
  }
  EXPECT_EQ(throttle_profile_named("Fast").error().code, Errc::bad_config);
}

/// Certified is a guest whose host has certificates, and asks for them with room for one page.
class Certified : public testing::Test {
 protected:
  static std::vector<std::uint8_t> table_of(std::size_t size) {
    const std::vector<std::uint8_t> vcek(size - 48, 0x30);
    const snp::CertificateEntry entry[] = {{snp::kVcekGuid, vcek}};
    std::vector<std::uint8_t> table(size);
    EXPECT_TRUE(snp::encode_certificate_table(entry, table));
    return table;
  }
  Result<Evidence> report(HostConfig config, std::chrono::nanoseconds budget = 60s) {
    host_.emplace(guest_.firmware, std::move(config), clock_);
    snp::Vmpck key(guest_.firmware.guest().vmpcks[0].expose());
    channel_.emplace(std::move(key), *host_, clock_, pages_,
                     snp::GuestChannel::Options{.extended = &*host_, .certs = room_});
    return channel_->report({}, clock_.now() + budget);
  }
  MessagingGuest guest_;
  ManualClock clock_;
  snp::ChannelPages pages_{};
  snp::Page room_{};
  std::optional<Hypervisor> host_;
  std::optional<snp::GuestChannel> channel_;
};

TEST_F(Certified, GetsTheHostsCertificatesBesideItsReport) {
  const auto table = table_of(4096);
  const auto evidence = report({.certificates = table});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(std::ranges::equal(evidence->certs, table));
}

TEST_F(Certified, PassesThemOnWithoutPadding) {
  const auto table = table_of(100);
  room_.fill(0xee);
  const auto evidence = report({.certificates = table});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(std::ranges::equal(evidence->certs, table));
}

TEST_F(Certified, GoesOnWithoutThemIfTheHostHasNone) {
  room_.fill(0xee);
  const auto evidence = report({});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(evidence->certs.empty());
  EXPECT_EQ(room_, snp::Page{}) << "an empty table, as KVM writes it";
}

TEST_F(Certified, GoesOnWithoutThemIfTheyNeedMoreRoom) {
  const auto evidence = report({.certificates = table_of(4097)});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(evidence->certs.empty());
  EXPECT_EQ(guest_.firmware.guest().message_count[0], 2U) << "the plain request that followed was counted, once";
  EXPECT_TRUE(channel_->report({}, kNever)) << "guest and firmware are in step";
}

TEST_F(Certified, LearnsHowManyPagesAreNeeded) {
  for (const auto& [size, pages] : {std::pair{4097U, 2U}, std::pair{8192U, 2U}, std::pair{8193U, 3U}}) {
    Hypervisor host(guest_.firmware, {.certificates = table_of(size)}, clock_);
    snp::Page reply;
    const auto exit = host.call_extended({}, room_, reply, kNever);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->exit.vmm, snp::kVmmInvalidLen);
    EXPECT_EQ(exit->pages_needed, pages);
    EXPECT_FALSE(host.reached_firmware());
  }
}

TEST_F(Certified, IsNotHeldUpByAHostThatNeverHasEnoughRoom) {
  const auto evidence = report({.faults = {{1, true, FaultKind::invalid_len, 65535}}});
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::firmware_refused) << "INVALID_LEN for a plain request";
  EXPECT_FALSE(channel_->usable());
}

TEST_F(Certified, SendsTheSamePageWhileTheHostIsBusy) {
  const auto evidence = report(
      {.faults = {{1, false, FaultKind::busy, {}}, {2, false, FaultKind::busy, {}}}, .certificates = table_of(60)});
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->certs.size(), 60U);
}

TEST_F(Certified, LosesItsKeyToAReplayByTheHost) {
  const auto evidence = report({.faults = {{1, false, FaultKind::replay, {}}}});
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().found, 0x1dU) << "the firmware refused the second time";
  EXPECT_FALSE(channel_->usable());
}

// A page that changes while it is read is some mixture of two pages: it is this reply, or it is none.
TEST_F(Certified, TakesATornReplyOnlyWhereItIsWhole) {
  for (std::uint32_t at = 0; at < 4096; at += 61) {
    MessagingGuest fresh;
    Hypervisor host(fresh.firmware, {.faults = {{2, false, FaultKind::torn, at}}}, clock_);
    snp::GuestChannel channel(snp::Vmpck(fresh.firmware.guest().vmpcks[0].expose()), host, clock_, pages_, {});
    ASSERT_TRUE(channel.tsc_info(kNever));
    // The reply is 0x60 octets of header and 128 of payload; the octets behind it are zero in both.
    const bool whole = at >= 0x60 + 128;
    EXPECT_EQ(channel.tsc_info(kNever).has_value(), whole) << at;
    EXPECT_EQ(channel.usable(), whole) << at;
  }
}

}  // namespace
}  // namespace attestbed::sim
