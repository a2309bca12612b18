// SPDX-License-Identifier: Apache-2.0
// attest-guest as a process, against a host that answers what it likes, over a socket and over a serial device.
#include <algorithm>

#include "core/posix/pty_pair.h"
#include "tests/hostile_host.h"
#include "tests/programs.h"

namespace attestbed::programs {
namespace {

class HostileHost : public ProgramTest, public testing::WithParamInterface<HostCase> {
 protected:
  //   also  another code that will do, with exit 3
  void expect_end(const std::vector<std::string>& line, const char* also = "") {
    std::vector<std::string> args = {"--firmware", "unix:" + file("firmware.sock"), "--secret-auth", "none", "--json"};
    // Little time only where it must run out, and enough of it to get so far.
    args.insert(args.end(), {"--timeout", GetParam().runs_out() ? "8" : "60", "--out", file("key")});
    args.insert(args.end(), line.begin(), line.end());
    const Finished guest = run("attest-guest", args);
    if (guest.json()["code"] == also) {
      EXPECT_EQ(guest.exit.text(), "exit 3") << guest.err;
    } else {
      EXPECT_EQ(guest.exit.text(), "exit " + std::to_string(GetParam().exit)) << guest.err;
      EXPECT_EQ(guest.json()["code"], GetParam().code) << guest.out;
    }
    EXPECT_EQ(guest.json()["secret"], nullptr);
    EXPECT_FALSE(read(file("key")));
    EXPECT_EQ(std::count(guest.err.begin(), guest.err.end(), '\n'), 1) << guest.err;
  }
};

TEST_P(HostileHost, EndsTheGuestWithItsCode) {
  start_machine();
  const Host host(file("proxy.sock"), GetParam());
  ASSERT_TRUE(host.ready());
  expect_end({"--unix", file("proxy.sock")});
}

TEST_P(HostileHost, EndsTheGuestOfASerialLineWithItsCode) {
  start_machine();
  posix::Pty terminal;
  const Host host(std::move(terminal.controller), GetParam());
  // A terminal loses what nobody has read when its controller closes, and a part of an answer with it.
  expect_end({"--serial", terminal.device}, GetParam().then == HostCase::Then::close ? "closed" : "");
}

INSTANTIATE_TEST_SUITE_P(Answers, HostileHost, testing::ValuesIn(host_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace attestbed::programs
