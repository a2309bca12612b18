// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/children.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/posix/clock.h"

namespace attestbed::launch {
namespace {

using std::chrono::seconds;

class ChildrenTest : public testing::Test {
 protected:
  // Orphans come to this process, so that a test can wait for their end instead of guessing when it was.
  ChildrenTest() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

  Child& shell(const std::string& script) {
    Outcome<Child*> child = children_.start({.name = "script", .program = "/bin/sh", .args = {"-c", script}});
    EXPECT_TRUE(child) << child.error().text();
    return **child;
  }
  Deadline soon() { return clock_.now() + seconds(60); }

  posix::SteadyClock clock_;
  Children children_{clock_};
};

TEST_F(ChildrenTest, ReadyLineIsReturnedWhole) {
  Child& child = shell("echo noise; echo 'ready unix:/x measurement 00'; exec sleep 1000");
  const auto line = children_.wait_line(child, "ready ", soon());
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_EQ(*line, "ready unix:/x measurement 00");
}

TEST_F(ChildrenTest, HalfAReadyLineIsNotReady) {
  Child& child = shell("printf 'ready 127.0.0.1:80'; exec sleep 1000");
  const auto line = children_.wait_line(child, "ready ", clock_.now() + std::chrono::milliseconds(50));
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().text(), "script: no answer before the deadline while waiting for its line \"ready …\"");
}

TEST_F(ChildrenTest, EarlyDeathIsReportedAtOnceWithItsLastLines) {
  Child& child = shell("echo one >&2; echo two >&2; exit 7");
  const auto line = children_.wait_line(child, "ready ", soon());
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().reason, "ended (exit 7) without its line \"ready …\"");
  EXPECT_EQ(line.error().tail, "one\ntwo");
  EXPECT_FALSE(line.error().stopped);
}

TEST_F(ChildrenTest, ExitStatusAndEveryOctetArrive) {
  Child& child = shell("echo out; echo err >&2; exit 3");
  const auto exit = children_.wait_exit(child, soon());
  ASSERT_TRUE(exit) << exit.error().text();
  EXPECT_EQ(exit->text(), "exit 3");
  EXPECT_EQ(child.out().text(), "out\n");
  EXPECT_EQ(child.err().text(), "err\n");
}

TEST_F(ChildrenTest, AllAreWaitedForAndCounted) {
  Child* both[] = {&shell("exit 3"), &shell("exit 4")};
  std::vector<std::size_t> heard;
  const auto waited = children_.wait_all(both, soon(), [&heard](std::size_t ended) { heard.push_back(ended); });
  ASSERT_TRUE(waited) << waited.error().text();
  EXPECT_EQ(both[0]->exit()->text(), "exit 3");
  EXPECT_EQ(both[1]->exit()->text(), "exit 4");
  EXPECT_EQ(heard.back(), 2U);
  EXPECT_TRUE(std::ranges::is_sorted(heard));
}

TEST_F(ChildrenTest, WaitingForAllEndsAtTheDeadline) {
  Child* both[] = {&shell("exit 0"), &shell("exec sleep 1000")};
  EXPECT_FALSE(children_.wait_all(both, clock_.now() + std::chrono::milliseconds(50)));
  EXPECT_FALSE(both[1]->exit());
}

TEST_F(ChildrenTest, WaitingForAllTellsEverySecondThoughNothingHappens) {
  Child* one[] = {&shell("exec sleep 3.5")};
  std::size_t told = 0;
  ASSERT_TRUE(children_.wait_all(one, soon(), [&told](std::size_t ended) { told += ended == 0 ? 1 : 0; }));
  // The beginning and three seconds; the ends of its two streams may come before its own.
  EXPECT_GE(told, 4U);
}

TEST_F(ChildrenTest, DeathBySignalIsToldFromAnExit) {
  const auto exit = children_.wait_exit(shell("kill -9 $$"), soon());
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->text(), "signal 9 (Killed)");
  EXPECT_FALSE(exit->clean());
}

TEST_F(ChildrenTest, MissingProgramIsAFailureOfStart) {
  const auto child = children_.start({.name = "ghost", .program = "/nonexistent/ghost", .args = {}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().text(), "ghost: cannot execute /nonexistent/ghost: No such file or directory");
}

TEST_F(ChildrenTest, EndIsGentleFirst) {
  Child& child = shell("trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(children_.wait_line(child, "ready", soon()));
  EXPECT_TRUE(children_.end(child, seconds(60)).clean());
  EXPECT_EQ(child.out().text(), "ready\ngoodbye\n");
}

TEST_F(ChildrenTest, EndKillsWhatIgnoresSigterm) {
  Child& child = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(children_.wait_line(child, "ready", soon()));
  EXPECT_EQ(children_.end(child, std::chrono::milliseconds(50)).text(), "signal 9 (Killed)");
}

TEST_F(ChildrenTest, EndOfTheEndedTellsHowItEnded) {
  Child& child = shell("exit 5");
  ASSERT_TRUE(children_.wait_exit(child, soon()));
  EXPECT_EQ(children_.end(child).text(), "exit 5");
}

TEST_F(ChildrenTest, AFloodIsCappedAndDoesNotBlockTheWriter) {
  constexpr std::uint64_t kFlood = 3 * Captured::kMaxBytes;
  Child& child = shell("head -c " + std::to_string(kFlood) + " /dev/zero; echo done >&2");
  const auto exit = children_.wait_exit(child, soon());
  ASSERT_TRUE(exit) << exit.error().text();
  EXPECT_EQ(child.out().text().size(), Captured::kMaxBytes);
  EXPECT_EQ(child.out().text().size() + child.out().dropped(), kFlood);
  EXPECT_EQ(child.err().text(), "done\n");
}

TEST_F(ChildrenTest, WaitingForOneReadsTheOthers) {
  Child& talker = shell("head -c 1000000 /dev/zero; echo; echo finished");
  Child& sleeper = shell("exec sleep 1000");
  while (!talker.exit()) {
    ASSERT_FALSE(children_.wait_line(sleeper, "never", clock_.now() + std::chrono::milliseconds(20)));
  }
  EXPECT_EQ(talker.out().last_lines(1), "finished");
}

TEST_F(ChildrenTest, GrandchildrenGoWithTheirParent) {
  Child& child = shell("sleep 1000 & echo pid $!; exit 0");
  ASSERT_TRUE(children_.wait_exit(child, soon()));
  const auto grandchild = static_cast<pid_t>(std::stol(child.out().text().substr(4)));
  int status = 0;
  ASSERT_EQ(::waitpid(grandchild, &status, 0), grandchild);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_F(ChildrenTest, ChildrenDieWithTheProcessThatStartedThem) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    // A heap object that is never destroyed: nothing but the kernel ends its child.
    auto* children = new Children(clock_);
    const Outcome<Child*> child = children->start({.name = "sleep", .program = "/bin/sleep", .args = {"1000"}});
    const pid_t pid = child ? (*child)->pid() : -1;
    [[maybe_unused]] const ssize_t written = ::write(ends[1], &pid, sizeof pid);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t orphan = -1;
  ASSERT_EQ(::read(ends[0], &orphan, sizeof orphan), static_cast<ssize_t>(sizeof orphan));
  ASSERT_GT(orphan, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(middle, &status, 0), middle);
  ASSERT_EQ(::waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(ChildrenTest, NothingOfTheEnvironmentAndNoDescriptorIsInherited) {
  ::setenv("ATTESTBED_TEST_SECRET", "hunter2", 1);
  int leaked[2];
  ASSERT_EQ(::pipe(leaked), 0);  // without O_CLOEXEC, as a careless library would
  Child& child = shell("env; echo; ls /proc/self/fd; cat");
  ASSERT_TRUE(children_.wait_exit(child, soon()));
  EXPECT_EQ(child.out().text().find("hunter2"), std::string::npos);
  EXPECT_TRUE(child.out().line_starting("LC_ALL=C.UTF-8"));
  EXPECT_NE(child.out().text().find("\n\n0\n1\n2\n3\n"), std::string::npos) << child.out().text();
  EXPECT_TRUE(child.out().text().ends_with("\n0\n1\n2\n3\n")) << child.out().text();  // 3 is ls reading the folder
  ::close(leaked[0]);
  ::close(leaked[1]);
}

TEST_F(ChildrenTest, AStopDescriptorEndsAWait) {
  int stop[2];
  ASSERT_EQ(::pipe(stop), 0);
  {
    Children stoppable(clock_, stop[0]);
    const auto child = stoppable.start({.name = "sleep", .program = "/bin/sleep", .args = {"1000"}});
    ASSERT_TRUE(child);
    ASSERT_EQ(::write(stop[1], "x", 1), 1);
    const auto exit = stoppable.wait_exit(**child, soon());
    ASSERT_FALSE(exit);
    EXPECT_TRUE(exit.error().stopped);
    EXPECT_EQ(stoppable.end(**child).text(), "signal 15 (Terminated)");  // ending works all the same
  }
  ::close(stop[0]);
  ::close(stop[1]);
}

TEST(Captured, LastLinesAreCountedFromTheEnd) {
  Captured captured;
  captured.append("a\nb\nc\n\n");
  EXPECT_EQ(captured.last_lines(1), "c");
  EXPECT_EQ(captured.last_lines(2), "b\nc");
  EXPECT_EQ(captured.last_lines(9), "a\nb\nc");
  EXPECT_EQ(Captured().last_lines(3), "");
}

}  // namespace
}  // namespace attestbed::launch
