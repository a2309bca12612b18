// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/console.h"

#include <gtest/gtest.h>

namespace attestbed::vm {
namespace {

Instant at(int second) {
  return Instant(std::chrono::seconds(second));
}

constexpr std::string_view kBoot =
    "[    0.9] sd: nothing\r\n"
    "attest-guest: up 0.1.0, 950 ms after the kernel started\r\n"
    "[    1.0] virtio: attest-guest: phase connected 1000.1\r\n";
constexpr std::string_view kEnd =
    "attest-guest: result {\"outcome\":\"released\"}\r\n"
    "attest-guest: released 12 octets\r\n";

TEST(Console, KeepsWhatAttestGuestSaysWithTheTimeOfItsArrival) {
  Console console;
  std::string text(kBoot.substr(0, 40));
  console.read(text, at(1));
  EXPECT_TRUE(console.lines().empty());  // half a line is not yet one
  text = kBoot;
  console.read(text, at(2));
  ASSERT_EQ(console.lines().size(), 2U);
  EXPECT_EQ(console.lines()[0].text, "up 0.1.0, 950 ms after the kernel started");
  EXPECT_EQ(console.arrival("up "), at(2));
  EXPECT_EQ(console.arrival("phase connected"), at(2));  // though the kernel had begun the line
  EXPECT_EQ(console.result(), "");
  EXPECT_EQ(console.words(), "");

  text += kEnd;
  std::vector<std::string> told;
  console.read(text, at(3), [&](const ConsoleLine& line) { told.push_back(line.text); });
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(console.result(), "{\"outcome\":\"released\"}");
  EXPECT_EQ(console.words(), "attest-guest: released 12 octets");
  EXPECT_EQ(console.arrival("result "), at(3));
  EXPECT_FALSE(console.arrival("phase opened"));
}

TEST(Console, TakesTheFirstResultAndNothingForWordsIfNothingFollows) {
  Console console;
  console.read("attest-guest: result {\"a\":1}\n", at(1));
  EXPECT_EQ(console.words(), "");
  console.read("attest-guest: result {\"a\":1}\nattest-guest: x\nattest-guest: result {\"b\":2}\n", at(2));
  EXPECT_EQ(console.result(), "{\"a\":1}");
}

TEST(Console, IsBoundedHoweverMuchAGuestSays) {
  Console console;
  std::string text;
  for (std::size_t i = 0; i < Console::kMaxLines + 100; ++i) text += "attest-guest: again\n";
  console.read(text, at(1));
  EXPECT_EQ(console.lines().size(), Console::kMaxLines);
}

TEST(Console, FindsAPanic) {
  EXPECT_EQ(panic_in("x\r\n[    1.7] Kernel panic - not syncing: No working init found.\r\n---[ end"),
            "Kernel panic - not syncing: No working init found.");
  EXPECT_EQ(panic_in("all is well"), "");
}

}  // namespace
}  // namespace attestbed::vm
