// SPDX-License-Identifier: Apache-2.0
// Events for a reader that does not read.
#include "core/log/event_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "core/log/line_writer.h"

namespace attestbed::log {
namespace {

using namespace std::chrono_literals;

// A pipe, the usual kind: writing to it blocks when it is full.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    stop_reading();
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int writer() const { return ends_[1]; }
  void stop_reading() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  /// read_lines reads until there are `count` lines.
  std::string read_lines(std::size_t count) {
    std::string text;
    char octet = 0;
    for (std::size_t lines = 0; lines < count && read(ends_[0], &octet, 1) == 1; lines += octet == '\n' ? 1 : 0) {
      text += octet;
    }
    return text;
  }

 private:
  int ends_[2];
};

const std::string kLine = std::string(1023, 'x') + "\n";

TEST(LineWriter, WritesAtOnceWhatTheReaderHasRoomFor) {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  ASSERT_TRUE(writer.write("a\n"));
  ASSERT_TRUE(writer.write("b\n"));
  EXPECT_TRUE(writer.flush(0ms)) << "nothing waits";
  EXPECT_EQ(pipe.read_lines(2), "a\nb\n");
}

TEST(LineWriter, TakesABoundedAmountThatNobodyReadsAndLosesNoneOfIt) {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  std::size_t taken = 0;
  while (writer.write(kLine)) ++taken;
  EXPECT_GE(taken, LineWriter::kMaxWaiting / kLine.size());
  EXPECT_FALSE(writer.flush(1ms));
  std::string expected;
  for (std::size_t i = 0; i < taken; ++i) expected += kLine;
  EXPECT_TRUE(pipe.read_lines(taken) == expected);
  EXPECT_TRUE(writer.flush(60s));
  EXPECT_TRUE(writer.write("there is room again\n"));
  EXPECT_EQ(pipe.read_lines(1), "there is room again\n");
}

TEST(LineWriter, LeavesTheModeOfTheDescriptorAlone) {
  Pipe pipe;
  const LineWriter writer(pipe.writer());
  EXPECT_EQ(fcntl(pipe.writer(), F_GETFL) & O_NONBLOCK, 0) << "other processes have it too";
}

TEST(EventLog, SaysHowManyEventsAreMissing) {
  Pipe pipe;
  start("test", Level::info, pipe.writer());
  // Fill all there is, until an event must have been left out.
  const std::string text(1000, 'x');
  constexpr std::size_t kEvents = 3000;  // about three times what pipe and memory hold
  for (std::size_t i = 0; i < kEvents; ++i) event(Level::info, "one", {{"number", i}, {"text", text}});
  std::thread end([] { finish(); });
  std::size_t seen = 0, lost = 0;
  for (bool more = true; more;) {
    const nlohmann::json line = nlohmann::json::parse(pipe.read_lines(1));
    EXPECT_EQ(line["program"], "test");
    more = line["event"] == "one";
    if (more) {
      EXPECT_EQ(line["number"], seen) << "those that are there are the first";
      ++seen;
    } else {
      EXPECT_EQ(line["event"], "events_lost");
      EXPECT_EQ(line["level"], "warning");
      lost = line["events"];
    }
  }
  end.join();
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(seen + lost, kEvents);
  start("test", Level::info);  // the pipe ends here
}

TEST(EventLog, EndsSoonThoughNobodyReads) {
  Pipe pipe;
  start("test", Level::info, pipe.writer());
  const std::string text(1000, 'x');
  for (int i = 0; i < 3000; ++i) event(Level::info, "one", {{"text", text}});
  finish();
  start("test", Level::info);
}

}  // namespace
}  // namespace attestbed::log
