// SPDX-License-Identifier: Apache-2.0
#include "core/verify/refusal.h"

#include <gtest/gtest.h>

namespace attestbed::verify {
namespace {

TEST(Refusal, IsOneLineWithRemedy) {
  const Refusal refusal{Errc::tcb_mismatch, "REPORTED_TCB.microcode", "219", "220"};
  EXPECT_EQ(refusal.text(), std::string("tcb_mismatch: REPORTED_TCB.microcode: expected 219, found 220; ") +
                                error_row(Errc::tcb_mismatch).remedy);
}

// What the table says of a code that also frames have would send people to look at a sender that there is none of.
TEST(Refusal, SpeaksOfFilesAlone) {
  for (const Errc code : {Errc::bad_length, Errc::too_large, Errc::bad_value, Errc::truncated, Errc::trailing_bytes}) {
    const std::string text = Refusal{code, "report.bin", "1184 octets", "1183"}.text();
    for (const char* word : {"peer", "sender", "frame", "protocol"}) {
      EXPECT_EQ(text.find(word), std::string::npos) << text;
    }
    EXPECT_NE(text.find("; see that this is the file that was meant"), std::string::npos) << text;
  }
}

TEST(TimeText, IsTheInverseOfTimeParse) {
  // The second column is `date -u -d TEXT +%s`.
  const struct {
    const char* text;
    std::int64_t seconds;
    const char* utc;
  } cases[] = {
      {"2025-10-01T00:00:00Z", 1759276800, "2025-10-01T00:00:00Z"},
      {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
      {"2024-02-29T23:59:59+01:30", 1709245799, "2024-02-29T22:29:59Z"},
      {"2024-12-31T23:30:00-01:00", 1735691400, "2025-01-01T00:30:00Z"},
      {"2050-06-15t12:00:00z", 2538907200, "2050-06-15T12:00:00Z"},
  };
  for (const auto& [text, seconds, utc] : cases) {
    const Checked<Time> time = time_parse(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->time_since_epoch().count(), seconds) << text;
    EXPECT_EQ(time_text(*time), utc);
  }
}

TEST(TimeParse, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "now", "2025-10-01", "2025-10-01T00:00:00", "2025-10-01 00:00:00Z", "2025-13-01T00:00:00Z",
        "2025-02-29T00:00:00Z", "2025-10-01T24:00:00Z", "2025-10-01T00:60:00Z", "2025-10-01T00:00:60Z",
        "2025-10-01T00:00:00+24:00", "2025-10-01T00:00:00Zz", "2025-10-01T00:00:00.5Z", "+025-10-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"}) {
    const Checked<Time> time = time_parse(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, Errc::bad_value);
  }
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable("a\n\x1b\\\xff"), "a\\x0a\\x1b\\x5c\\xff");
  EXPECT_EQ(printable("123456", 4), "1234...");
}

}  // namespace
}  // namespace attestbed::verify
