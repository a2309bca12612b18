// SPDX-License-Identifier: Apache-2.0
#include "guest/frame_tally.h"

#include <gtest/gtest.h>

#include <vector>

namespace attestbed::guest {
namespace {

/// Trickle takes everything and gives one octet at a time, until it has given `left`.
class Trickle final : public Transport {
 public:
  explicit Trickle(std::size_t left) : left_(left) {}
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (left_ == 0) return Error{Errc::closed, "Trickle"};
    --left_;
    into[0] = 0;
    return 1;
  }
  Status write_all(Bytes, Deadline) override { return ok(); }

 private:
  std::size_t left_;
};

TEST(FrameTally, ATurnIsAFrameHoweverItIsCut) {
  Trickle wire(15);
  FrameTally tally(wire);
  ByteArray<64> into{};
  ASSERT_TRUE(tally.write_all(Bytes(into).first(8), kNever));
  ASSERT_TRUE(tally.write_all(Bytes(into).first(31), kNever));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(tally.read_some(into, kNever));
  ASSERT_TRUE(tally.write_all(Bytes(into).first(20), kNever));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(tally.read_some(into, kNever));
  EXPECT_FALSE(tally.read_some(into, kNever));
  EXPECT_EQ(std::vector(tally.octets().begin(), tally.octets().end()), (std::vector<std::size_t>{39, 10, 20, 5}));
}

TEST(FrameTally, CountsNothingBeforeTheFirstOctet) {
  Trickle wire(0);
  FrameTally tally(wire);
  ByteArray<1> into{};
  EXPECT_FALSE(tally.read_some(into, kNever));
  EXPECT_TRUE(tally.octets().empty());
}

TEST(FrameTally, DoesNotCountWhatWasDrained) {
  Trickle wire(9);
  FrameTally tally(wire);
  ByteArray<64> into{};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(tally.read_some(into, kNever));
  ASSERT_TRUE(tally.write_all(Bytes(into).first(39), kNever));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(tally.read_some(into, kNever));
  EXPECT_EQ(std::vector(tally.octets().begin(), tally.octets().end()), (std::vector<std::size_t>{39, 4}));
}

TEST(FrameTally, APeerThatNeverEndsDoesNotOverrunIt) {
  Trickle wire(100);
  FrameTally tally(wire);
  ByteArray<1> into{};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(tally.write_all(into, kNever));
    ASSERT_TRUE(tally.read_some(into, kNever));
  }
  EXPECT_EQ(tally.octets().size(), FrameTally::kFrames);
}

}  // namespace
}  // namespace attestbed::guest
