// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "core/platform/transport.h"

// What every Transport promises (core/platform/transport.h), as one suite over all of them. To add one, write a line:
//
//   struct MyLine {
//     static constexpr bool kKeepsDataOnClose = true;  // false if closing may discard what the peer has not read yet
//     Transport& near();                               // two ends of one line, open when the object is made
//     Transport& far();
//     void close_far();                                // the far end goes away
//     Clock& clock();                                  // what the line's deadlines are measured with
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(MyLine, TransportContract, MyLine);
//
// A line that not every machine has also has `static std::string why_absent()`, empty where it is there; elsewhere its
// tests are skipped with that reason, and its constructor leaves it closed.
//
// A line that a program can cancel also has `void cancel_near()`, and joins CancellableTransportContract. The ends are
// used from two threads at once, one each; what a test writes before anybody reads is at most 10 octets, so a line may
// hold as few.
namespace attestbed {

/// kSoon is how long a test lets something take that is expected not to happen; kPatience is for what must happen.
inline constexpr std::chrono::milliseconds kSoon{20};
inline constexpr std::chrono::seconds kPatience{60};

inline std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  // 251 is prime, so no buffer size repeats the pattern.
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i % 251);
  return octets;
}

template <class Line>
class TransportContract : public testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { Line::why_absent(); }) {
      if (const std::string why = Line::why_absent(); !why.empty()) GTEST_SKIP() << why;
    }
  }
  Deadline soon() { return line_.clock().now() + kSoon; }
  Deadline patient() { return line_.clock().now() + kPatience; }

  /// read_all reads until it has `size` octets or the line fails.
  std::vector<std::uint8_t> read_all(Transport& from, std::size_t size, std::size_t piece = 4096) {
    std::vector<std::uint8_t> octets(size);
    std::size_t have = 0;
    while (have < size) {
      const Result<std::size_t> got =
          from.read_some(MutBytes(octets).subspan(have, std::min(piece, size - have)), patient());
      if (!got) {
        ADD_FAILURE() << "after " << have << " octets: " << error_name(got.error().code);
        break;
      }
      have += *got;
    }
    octets.resize(have);
    return octets;
  }

  Line line_;
};
TYPED_TEST_SUITE_P(TransportContract);

TYPED_TEST_P(TransportContract, SplitWritesArriveInOrder) {
  const auto octets = counting(300);
  for (const auto& [from, to] :
       {std::pair{&this->line_.near(), &this->line_.far()}, std::pair{&this->line_.far(), &this->line_.near()}}) {
    bool wrote = true;
    std::thread writer([&, sender = from] {
      for (const std::uint8_t& octet : octets) wrote = wrote && sender->write_all({&octet, 1}, this->patient());
    });
    EXPECT_EQ(this->read_all(*to, octets.size()), octets);
    writer.join();
    EXPECT_TRUE(wrote);
  }
}

TYPED_TEST_P(TransportContract, EveryOctetValuePasses) {
  std::vector<std::uint8_t> octets(256);
  std::iota(octets.begin(), octets.end(), std::uint8_t{0});
  Status wrote;
  std::thread writer([&] { wrote = this->line_.far().write_all(octets, this->patient()); });
  EXPECT_EQ(this->read_all(this->line_.near(), octets.size()), octets);
  writer.join();
  EXPECT_TRUE(wrote);
}

TYPED_TEST_P(TransportContract, ReadsNoMoreThanThereIsRoom) {
  const auto octets = counting(7);
  ASSERT_TRUE(this->line_.far().write_all(octets, this->patient()));
  ByteArray<3> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
  ASSERT_TRUE(got);
  EXPECT_GE(*got, 1U);
  EXPECT_LE(*got, room.size());
  EXPECT_EQ(this->read_all(this->line_.near(), octets.size() - *got).size(), octets.size() - *got);
}

TYPED_TEST_P(TransportContract, SilenceEndsAtTheDeadline) {
  ByteArray<1> room{};
  const Deadline until = this->soon();
  const Result<std::size_t> got = this->line_.near().read_some(room, until);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::deadline);
  EXPECT_GE(this->line_.clock().now(), until);
}

TYPED_TEST_P(TransportContract, LineSurvivesADeadline) {
  ByteArray<1> room{};
  ASSERT_FALSE(this->line_.near().read_some(room, this->soon()));
  const auto octets = counting(5);
  ASSERT_TRUE(this->line_.far().write_all(octets, this->patient()));
  EXPECT_EQ(this->read_all(this->line_.near(), octets.size()), octets);
}

// Otherwise a peer that always has one more octet ready holds its reader for ever.
TYPED_TEST_P(TransportContract, PassedDeadlineFailsEvenWithDataReady) {
  ASSERT_TRUE(this->line_.far().write_all(counting(1), this->patient()));
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->line_.clock().now());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::deadline);
  EXPECT_EQ(this->read_all(this->line_.near(), 1), counting(1)) << "nothing was consumed";
}

TYPED_TEST_P(TransportContract, CloseIsSeenAsClosed) {
  this->line_.close_far();
  ByteArray<1> room{};
  for (int again = 0; again < 2; ++again) {
    const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::closed);
  }
}

TYPED_TEST_P(TransportContract, CloseEndsAWaitingRead) {
  std::thread closer([this] { this->line_.close_far(); });
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
  closer.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

TYPED_TEST_P(TransportContract, DataBeforeCloseIsDelivered) {
  if (!TypeParam::kKeepsDataOnClose) GTEST_SKIP() << "this line discards unread octets when its other end closes";
  const auto octets = counting(10);
  ASSERT_TRUE(this->line_.far().write_all(octets, this->patient()));
  this->line_.close_far();
  EXPECT_EQ(this->read_all(this->line_.near(), octets.size()), octets);
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

TYPED_TEST_P(TransportContract, UnreadOctetsOfOursDoNotHideTheClose) {
  ASSERT_TRUE(this->line_.near().write_all(counting(10), this->patient()));
  this->line_.close_far();
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

// The first write may still fit into a buffer; that it never reaches anybody shows at the latest when that is full.
TYPED_TEST_P(TransportContract, WriteToAClosedLineIsATransportError) {
  this->line_.close_far();
  const Status wrote = this->line_.near().write_all(counting(4 << 20), this->patient());
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::transport);
}

TYPED_TEST_P(TransportContract, WriteThatNobodyReadsEndsAtTheDeadline) {
  const Status wrote = this->line_.near().write_all(counting(4 << 20), this->soon());
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::deadline);
}

TYPED_TEST_P(TransportContract, HugeWriteReachesASlowReader) {
  const auto octets = counting(1 << 20);
  Status wrote;
  std::thread writer([&] { wrote = this->line_.near().write_all(octets, this->patient()); });
  // Slow at first, so that the writer finds the line full; an octet at a time all the way would only take long.
  std::vector<std::uint8_t> received = this->read_all(this->line_.far(), 2000, 1);
  const auto rest = this->read_all(this->line_.far(), octets.size() - received.size());
  writer.join();
  ASSERT_TRUE(wrote);
  received.insert(received.end(), rest.begin(), rest.end());
  EXPECT_TRUE(received == octets) << "octets lost, added or out of order";
}

TYPED_TEST_P(TransportContract, BothDirectionsCarryAtOnce) {
  const auto octets = counting(64 * 1024);
  Status wrote;
  std::vector<std::uint8_t> echoed;
  std::thread peer([&] {
    echoed = this->read_all(this->line_.far(), octets.size());
    wrote = this->line_.far().write_all(echoed, this->patient());
  });
  const Status sent = this->line_.near().write_all(octets, this->patient());
  const auto back = this->read_all(this->line_.near(), octets.size());
  peer.join();
  EXPECT_TRUE(sent);
  EXPECT_TRUE(wrote);
  EXPECT_TRUE(back == octets);
}

TYPED_TEST_P(TransportContract, NothingToWriteIsWritten) {
  EXPECT_TRUE(this->line_.near().write_all({}, this->patient()));
}

TYPED_TEST_P(TransportContract, NoRoomToReadIntoIsTheCallersError) {
  const Result<std::size_t> got = this->line_.near().read_some({}, this->patient());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::bad_length);
}

REGISTER_TYPED_TEST_SUITE_P(TransportContract, SplitWritesArriveInOrder, EveryOctetValuePasses,
                            ReadsNoMoreThanThereIsRoom, SilenceEndsAtTheDeadline, LineSurvivesADeadline,
                            PassedDeadlineFailsEvenWithDataReady, CloseIsSeenAsClosed, CloseEndsAWaitingRead,
                            DataBeforeCloseIsDelivered, UnreadOctetsOfOursDoNotHideTheClose,
                            WriteToAClosedLineIsATransportError, WriteThatNobodyReadsEndsAtTheDeadline,
                            HugeWriteReachesASlowReader, BothDirectionsCarryAtOnce, NothingToWriteIsWritten,
                            NoRoomToReadIntoIsTheCallersError);

template <class Line>
class CancellableTransportContract : public TransportContract<Line> {};
TYPED_TEST_SUITE_P(CancellableTransportContract);

TYPED_TEST_P(CancellableTransportContract, CancelEndsAWaitingRead) {
  std::thread canceller([this] { this->line_.cancel_near(); });
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, kNever);
  canceller.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

TYPED_TEST_P(CancellableTransportContract, CancelEndsAWaitingWrite) {
  std::thread canceller([this] { this->line_.cancel_near(); });
  const Status wrote = this->line_.near().write_all(counting(4 << 20), kNever);
  canceller.join();
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code, Errc::closed);
}

TYPED_TEST_P(CancellableTransportContract, CancelPrecedesDataThatIsReady) {
  ASSERT_TRUE(this->line_.far().write_all(counting(1), this->patient()));
  this->line_.cancel_near();
  ByteArray<1> room{};
  const Result<std::size_t> got = this->line_.near().read_some(room, this->patient());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::closed);
}

REGISTER_TYPED_TEST_SUITE_P(CancellableTransportContract, CancelEndsAWaitingRead, CancelEndsAWaitingWrite,
                            CancelPrecedesDataThatIsReady);

}  // namespace attestbed
