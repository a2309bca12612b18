// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace attestbed::protocol {
namespace {

// A wire that gives `incoming` in pieces of at most `piece` octets, then behaves as `end` says.
class ScriptedWire final : public Transport {
 public:
  explicit ScriptedWire(std::string incoming, std::size_t piece = 1, Errc end = Errc::closed)
      : incoming_(std::move(incoming)), piece_(piece), end_(end) {}
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (at_ == incoming_.size()) return Error{end_, "ScriptedWire"};
    const std::size_t n = std::min({into.size(), piece_, incoming_.size() - at_});
    std::copy_n(incoming_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    return n;
  }
  Status write_all(Bytes from, Deadline) override {
    written.append(text_of(from));
    return ok();
  }
  std::size_t taken() const { return at_; }
  std::string written;

 private:
  std::string incoming_;
  std::size_t piece_;
  Errc end_;
  std::size_t at_ = 0;
};

std::string prefix(std::uint64_t length) {
  std::string octets;
  for (int i = 0; i < 8; ++i) octets.push_back(static_cast<char>(length >> (8 * i)));
  return octets;
}

TEST(Frame, SendsLengthThenBody) {
  ScriptedWire wire("");
  ASSERT_TRUE(send_frame(wire, bytes_of("{}"), kNever));
  EXPECT_EQ(wire.written, prefix(2) + "{}");
}

TEST(Frame, RefusesToSendWhatNobodyMayReceive) {
  ScriptedWire wire("");
  const Error empty = send_frame(wire, {}, kNever).error();
  EXPECT_EQ(empty.code, Errc::frame_empty);
  EXPECT_EQ(empty.expected, 1U);
  EXPECT_EQ(empty.found, 0U);
  const std::vector<std::uint8_t> big(kMaxFrameBytes + 1);
  EXPECT_EQ(send_frame(wire, big, kNever).error().code, Errc::frame_too_large);
  EXPECT_TRUE(wire.written.empty());
}

TEST(Frame, ArrivesHoweverItIsSplit) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  const std::string body(1000, 'x');
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{4096}}) {
    ScriptedWire wire(prefix(body.size()) + body + "next", piece);
    const auto got = receive_frame(wire, buffer, kNever);
    ASSERT_TRUE(got);
    EXPECT_EQ(text_of(*got), body);
    EXPECT_EQ(wire.taken(), 8 + body.size()) << "not one octet of the next frame";
  }
}

TEST(Frame, TheLargestLegalFrameFits) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  ScriptedWire wire(prefix(kMaxFrameBytes) + std::string(kMaxFrameBytes, 'y'), 4096);
  const auto got = receive_frame(wire, buffer, kNever);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->size(), kMaxFrameBytes);
}

struct BadFrame {
  const char* name;
  std::string octets;
  Errc end;
  Errc code;
};
class FrameRejects : public testing::TestWithParam<BadFrame> {};
TEST_P(FrameRejects, WithItsCodeAndWithoutReadingTheBody) {
  std::vector<std::uint8_t> buffer(kMaxFrameBytes);
  ScriptedWire wire(GetParam().octets, 1, GetParam().end);
  const auto got = receive_frame(wire, buffer, kNever);
  ASSERT_FALSE(got);
  EXPECT_STREQ(error_name(got.error().code), error_name(GetParam().code));
  EXPECT_EQ(wire.taken(), std::min<std::size_t>(GetParam().octets.size(), GetParam().code == Errc::truncated ? 99 : 8));
}
INSTANTIATE_TEST_SUITE_P(
    Table, FrameRejects,
    testing::Values(BadFrame{"Nothing", "", Errc::closed, Errc::closed},
                    BadFrame{"Silence", "", Errc::deadline, Errc::deadline},
                    BadFrame{"HalfPrefix", "\x02\x00\x00", Errc::closed, Errc::truncated},
                    BadFrame{"NoBody", prefix(5), Errc::closed, Errc::truncated},
                    BadFrame{"HalfBody", prefix(5) + "abc", Errc::closed, Errc::truncated},
                    BadFrame{"Zero", prefix(0) + "{}", Errc::closed, Errc::frame_empty},
                    BadFrame{"OneTooMany", prefix(kMaxFrameBytes + 1) + "{}", Errc::closed, Errc::frame_too_large},
                    BadFrame{"BigEndianLength", std::string("\0\0\0\0\0\0\0\x1f", 8) + "{}", Errc::closed,
                             Errc::frame_too_large},
                    BadFrame{"TopBit", prefix(1ULL << 63) + "{}", Errc::closed, Errc::frame_too_large},
                    BadFrame{"AllOnes", prefix(~0ULL) + "{}", Errc::closed, Errc::frame_too_large}),
    [](const auto& row) { return row.param.name; });

TEST(Frame, TheCallersBufferIsABoundToo) {
  ByteArray<4> buffer;
  ScriptedWire wire(prefix(5) + "abcde");
  const auto got = receive_frame(wire, buffer, kNever);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::frame_too_large);
  EXPECT_EQ(got.error().found, 5U);
  EXPECT_EQ(got.error().expected, 4U);
}

}  // namespace
}  // namespace attestbed::protocol
