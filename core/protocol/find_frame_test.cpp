// SPDX-License-Identifier: Apache-2.0
// The first frame of an attempt on a serial line, and what may come before it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

// Gives `incoming` in pieces of at most `piece` octets, then fails with `end`.
class NoisyWire final : public Transport {
 public:
  NoisyWire(std::string incoming, std::size_t piece, Errc end = Errc::deadline)
      : incoming_(std::move(incoming)), piece_(piece), end_(end) {}
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (at_ == incoming_.size()) return Error{end_, "NoisyWire"};
    const std::size_t n = std::min({into.size(), piece_, incoming_.size() - at_});
    std::copy_n(incoming_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    return n;
  }
  Status write_all(Bytes, Deadline) override { return Error{Errc::transport, "NoisyWire"}; }
  std::size_t left() const { return incoming_.size() - at_; }

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

std::string frame(const std::string& body) {
  return prefix(body.size()) + body;
}

const std::string kBody = R"({"version":[0,1,0],"tee":"snp"})";
const std::string kFollows = "what follows is not touched";

// found is the body of the first frame in `octets` after `skipped` octets of noise; "(code)" if there is none.
std::string found(const std::string& octets, std::size_t piece, std::size_t skipped) {
  NoisyWire wire(octets, piece);
  const auto start = find_frame(wire, kNever);
  if (!start) return std::string("(") + error_name(start.error().code) + ")";
  EXPECT_EQ(start->skipped, skipped);
  std::vector<std::uint8_t> into(kMaxFrameBytes);
  const auto body = receive_found(wire, *start, into, kNever);
  if (!body) return std::string("(") + error_name(body.error().code) + ")";
  return std::string(text_of(*body));
}

TEST(FindFrame, TakesTheFrameBehindNoiseOfEveryLengthUpToTheCap) {
  for (std::size_t n = 0; n <= kMaxSkippedOctets; n < 32 ? ++n : n += 127) {
    EXPECT_EQ(found(std::string(n, '#') + frame(kBody), 4096, n), kBody) << n;
  }
  EXPECT_EQ(found(std::string(kMaxSkippedOctets, '\0') + frame(kBody), 4096, kMaxSkippedOctets), kBody);
}

TEST(FindFrame, GivesUpBeyondTheCapAndReadsNoFurtherThanItMust) {
  for (const std::size_t more : {1U, 2U, 9U, 10U, 4096U, 100'000U}) {
    NoisyWire wire(std::string(kMaxSkippedOctets + more, '#') + frame(kBody), 4096);
    const auto start = find_frame(wire, kNever);
    ASSERT_FALSE(start) << more;
    EXPECT_EQ(start.error().code, Errc::line_noise) << more;
    EXPECT_EQ(start.error().expected, kMaxSkippedOctets);
    EXPECT_GE(wire.left() + 10, more + frame(kBody).size());
  }
}

struct Noise {
  const char* name;
  std::string octets;
};
std::ostream& operator<<(std::ostream& out, const Noise& noise) {
  return out << noise.name;
}
class BeforeAFrame : public testing::TestWithParam<Noise> {};
INSTANTIATE_TEST_SUITE_P(
    FindFrame, BeforeAFrame,
    testing::Values(Noise{"nothing", ""}, Noise{"a console line", "[    0.000000] Linux version 6.1\r\n"},
                    Noise{"zeros", std::string(100, '\0')}, Noise{"one zero", std::string(1, '\0')},
                    Noise{"braces", "{{{{{{{{{{{{{{{{"}, Noise{"all ones", std::string(64, '\xff')},
                    Noise{"a length without a brace", prefix(31) + "[0,1,0]"},
                    Noise{"a cut length", prefix(31).substr(0, 7)}, Noise{"length 0 and a brace", prefix(0) + "{"},
                    Noise{"length 1 and a brace", prefix(1) + "{"},
                    Noise{"length 65537 and a brace", prefix(65537) + "{"},
                    Noise{"length 2^64-1 and a brace", std::string(8, '\xff') + "{"},
                    Noise{"length 2^63 and a brace", prefix(std::uint64_t{1} << 63) + "{"},
                    Noise{"two lengths, one brace", prefix(31) + prefix(31)},
                    Noise{"the end of a frame", kBody.substr(10)},
                    Noise{"a length with a brace too late", prefix(31) + " {"}));

TEST_P(BeforeAFrame, IsSkippedHoweverItIsSplit) {
  const std::string& noise = GetParam().octets;
  for (std::size_t piece = 1; piece <= noise.size() + 10; ++piece) {
    EXPECT_EQ(found(noise + frame(kBody) + kFollows, piece, noise.size()), kBody) << piece;
  }
}

TEST_P(BeforeAFrame, LeavesWhatFollowsTheBraceOnTheLine) {
  for (std::size_t piece = 1; piece <= 64; ++piece) {
    NoisyWire wire(GetParam().octets + frame(kBody) + kFollows, piece);
    ASSERT_TRUE(find_frame(wire, kNever));
    EXPECT_EQ(wire.left(), kBody.size() - 1 + kFollows.size()) << piece;
  }
}

TEST(FindFrame, BoundsOfTheLengthAreInclusive) {
  EXPECT_EQ(found(frame("{}"), 1, 0), "{}");
  const std::string largest = "{" + std::string(kMaxFrameBytes - 2, ' ') + "}";
  EXPECT_EQ(found(frame(largest), 4096, 0), largest);
}

TEST(FindFrame, SaysHowTheLineEnded) {
  for (std::size_t cut = 0; cut < frame(kBody).size(); ++cut) {
    for (const Errc end : {Errc::deadline, Errc::closed}) {
      NoisyWire wire(frame(kBody).substr(0, cut), 3, end);
      const auto start = find_frame(wire, kNever);
      std::vector<std::uint8_t> into(kMaxFrameBytes);
      const Errc code = start ? receive_found(wire, *start, into, kNever).error().code : start.error().code;
      const Errc closed = cut == 0 ? Errc::closed : Errc::truncated;
      EXPECT_EQ(code, end == Errc::closed ? closed : end) << cut;
    }
  }
}

TEST(FindFrame, RefusesAFrameThatTheReceiverHasNoRoomFor) {
  NoisyWire wire(frame(kBody), 64);
  const auto start = find_frame(wire, kNever);
  ASSERT_TRUE(start);
  std::vector<std::uint8_t> small(30);
  EXPECT_EQ(receive_found(wire, *start, small, kNever).error().code, Errc::frame_too_large);
}

}  // namespace
}  // namespace attestbed::protocol
