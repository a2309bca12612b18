// SPDX-License-Identifier: Apache-2.0
// The server behind a serial device: one line that lives for ever.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <thread>

#include "core/posix/pty_pair.h"
#include "core/protocol/frame.h"
#include "proxy/hand_clock.h"
#include "proxy/log_capture.h"
#include "proxy/running_server.h"
#include "proxy/serial_listener.h"
#include "proxy/unix_listener.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using protocol::Phase;

const VectorCase& plain() {
  return vector_case("plain");
}

Running::Doors door_at(const std::string& device) {
  static posix::SteadyClock clock;
  Running::Doors doors;
  doors.push_back(*listen_on_serial(device, clock));
  return doors;
}

// What comes before the recorded NegotiationRequest: the length of its 31 octets.
const std::string kPrefix("\x1f\0\0\0\0\0\0\0", 8);

// The guest's end of a serial line.
class SerialGuest {
 public:
  explicit SerialGuest(posix::Fd controller) : fd_(controller.get()), end(std::move(controller)) {}

  /// ask sends the request, and again whenever no octet of an answer has come, as a guest does on a serial line.
  std::string ask() {
    for (;;) {
      if (!end.send(plain().negotiation_request)) return "(cannot send)";
      pollfd answer{fd_, POLLIN, 0};
      constexpr int kLongerThanADrain = 700;
      if (poll(&answer, 1, kLongerThanADrain) != 0) return end.receive();
    }
  }
  bool attest() {
    return ask() == plain().negotiation_response && end.send(plain().attestation_request) &&
           end.receive() == plain().attestation_response;
  }

 private:
  int fd_;

 public:
  GuestEnd end;
};

TEST(SerialServer, ServesOneAttemptAfterAnotherOnOneLine) {
  FakeBroker broker(plain());
  posix::Pty pty;
  const Running server(broker, Running::defaults(), door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(guest.end.attest(plain())) << i;
  EXPECT_TRUE(server.guest().attest(plain())) << "the other door";
}

TEST(SerialServer, LineIsAsGoodAsNewOnceItFellSilent) {
  FakeBroker broker(plain());
  posix::Pty pty;
  const Running server(broker, Running::defaults(), door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  struct Disturbance {
    const char* name;
    std::string octets;
    bool in_attempt;
  };
  for (const Disturbance& one : {Disturbance{"noise above the cap", std::string(6000, '#'), false},
                                 Disturbance{"noise below the cap", std::string(300, '\xff'), false},
                                 Disturbance{"noise in an attempt", "kernel: a word\r\n", true},
                                 Disturbance{"a frame of nothing", std::string(8, '\0'), true}}) {
    if (one.in_attempt) {
      ASSERT_EQ(guest.ask(), plain().negotiation_response) << one.name;
      ASSERT_TRUE(guest.end.send_raw(one.octets));
      EXPECT_EQ(code_in(guest.end.receive(), Phase::attestation), "malformed_request") << one.name;
    } else {
      ASSERT_TRUE(guest.end.send_raw(one.octets));
    }
    EXPECT_TRUE(guest.attest()) << one.name;
  }
}

TEST(SerialServer, GuestThatTakesNoAnswerHarmsNobody) {
  FakeBroker broker(plain());
  posix::Pty pty;
  ServerConfig config = Running::defaults();
  config.max_sessions = 1;
  config.queue_wait = 60s;
  const Running server(broker, config, door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  // Reset between the phases: the next guest's request begins the attempt anew.
  ASSERT_EQ(guest.ask(), plain().negotiation_response);
  EXPECT_TRUE(guest.attest());
  EXPECT_TRUE(server.guest().attest(plain()));
  EXPECT_EQ(broker.sessions, 2);
}

TEST(SerialServer, DeviceDoesNotCountAmongTheLines) {
  FakeBroker broker(plain());
  posix::Pty pty;
  ServerConfig config = Running::defaults();
  config.max_lines = 1;
  const Running server(broker, config, door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  ASSERT_EQ(guest.ask(), plain().negotiation_response);
  GuestEnd other = server.guest();
  ASSERT_TRUE(other.send(plain().negotiation_request));
  EXPECT_EQ(other.receive(), plain().negotiation_response);
  EXPECT_EQ(code_in(server.guest().receive(), Phase::negotiation), "proxy_busy") << "the limit is one, and it is there";
}

TEST(SerialServer, AttemptsAreCountedForTheDevice) {
  FakeBroker broker(plain());
  posix::Pty pty;
  ServerConfig config = Running::defaults();
  config.attempts = {.at_once = 2, .interval = 1h};
  const Running server(broker, config, door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(guest.end.attest(plain())) << i;
  ASSERT_TRUE(guest.end.send(plain().negotiation_request));
  EXPECT_EQ(code_in(guest.end.receive(), Phase::negotiation), "attempts_exhausted");
}

// Whether whoever has the device open has made it raw.
bool is_raw(int controller) {
  termios mode{};
  return tcgetattr(controller, &mode) == 0 && (mode.c_lflag & ICANON) == 0;
}

TEST(SerialServer, DeviceThatHungUpIsOpenedAgain) {
  FakeBroker broker(plain());
  const Directory directory;
  posix::Pty first;
  ASSERT_EQ(symlink(first.device.c_str(), directory.link().c_str()), 0);
  const Running server(broker, Running::defaults(), door_at(directory.link()));
  SerialGuest before(std::move(first.controller));
  ASSERT_TRUE(before.attest());
  before.end.hang_up();

  posix::Pty second;
  ASSERT_EQ(unlink(directory.link().c_str()), 0);
  ASSERT_EQ(symlink(second.device.c_str(), directory.link().c_str()), 0);
  while (!is_raw(second.controller.get())) std::this_thread::yield();
  SerialGuest after(std::move(second.controller));
  EXPECT_TRUE(after.attest());
}

TEST(SerialServer, StopLetsTheAttemptOnTheLineFinish) {
  FakeBroker broker(plain());
  posix::Pty pty;
  ServerConfig config = Running::defaults();
  config.grace = 60s;
  Running server(broker, config, door_at(pty.device));
  SerialGuest guest(std::move(pty.controller));
  ASSERT_EQ(guest.ask(), plain().negotiation_response);
  server.signal_stop();
  ASSERT_TRUE(guest.end.send(plain().attestation_request));
  EXPECT_EQ(guest.end.receive(), plain().attestation_response);
  EXPECT_TRUE(server.ended());
}

TEST(SerialListener, MissingDeviceIsAnError) {
  posix::SteadyClock clock;
  const auto door = listen_on_serial("/dev/no-such-line", clock);
  ASSERT_FALSE(door);
  EXPECT_EQ(door.error().code, Errc::transport);
  EXPECT_EQ(door.error().found, std::uint64_t{ENOENT});
}

// The socket of a serial port, beside the door without its rules, at a time that stands still.
class SerialSocket : public testing::Test {
 protected:
  static ServerConfig tight() {
    ServerConfig config = Running::defaults();
    config.max_sessions = 1;
    config.queue_wait = 60s;
    config.attempts = {.at_once = 4, .interval = 1h};
    return config;
  }
  Running::Doors door() const {
    Running::Doors doors;
    doors.push_back(*listen_on_unix(path_, posix::IfExists::refuse, LineKind::serial));
    return doors;
  }
  GuestEnd serial_guest() const { return GuestEnd::connect(path_); }
  /// pass lets the server see what has come before, and then the time that is given.
  void pass(std::chrono::nanoseconds time) {
    ASSERT_TRUE(server_.guest().attest(plain()));
    clock_.move(time);
    ASSERT_TRUE(server_.guest().attest(plain()));
  }

  const std::string path_ = "/tmp/attestbed-serial-socket-" + std::to_string(getpid()) + ".sock";
  FakeBroker broker_{plain()};
  HandClock clock_;
  const Running server_{broker_, tight(), door(), &clock_};
};

TEST_F(SerialSocket, NoiseTakesNeitherASessionNorAnAttempt) {
  std::vector<GuestEnd> noisy;
  for (int i = 0; i < 32; ++i) {
    noisy.push_back(serial_guest());
    for (int j = 0; j < 8; ++j) ASSERT_TRUE(noisy.back().send_raw("a word from the kernel\r\n"));
  }
  EXPECT_TRUE(server_.guest().attest(plain()));
  EXPECT_EQ(broker_.sessions, 1);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(noisy.back().attest(plain())) << i;
  EXPECT_EQ(broker_.sessions, 5);
}

TEST_F(SerialSocket, ShortNoiseIsAnsweredByNothing) {
  GuestEnd guest = serial_guest();
  ASSERT_TRUE(guest.send_raw(std::string("\x1f\0\0", 3)));
  pass(kFrameStartPatience);
  EXPECT_TRUE(guest.attest(plain())) << "the first frame it reads is the answer to its question";
}

// A line that listened late: what is left of the first request is noise, and the guest asks again after 5 s.
TEST_F(SerialSocket, RequestThatComesAgainAfterItsBeginningWasLostIsServed) {
  const std::string frame = kPrefix + plain().negotiation_request;
  ASSERT_EQ(frame.size(), 39U);
  for (const std::chrono::nanoseconds listens_for : {4s, 5s}) {
    GuestEnd guest = serial_guest();
    ASSERT_TRUE(guest.send_raw(frame.substr(20)));
    pass(listens_for);
    ASSERT_TRUE(guest.send_raw(frame));
    ASSERT_EQ(guest.receive(), plain().negotiation_response) << "the first frame it reads is the answer";
    ASSERT_TRUE(guest.send(plain().attestation_request));
    EXPECT_EQ(guest.receive(), plain().attestation_response);
  }
}

TEST_F(SerialSocket, LengthWithoutItsFrameIsToldInTheEnd) {
  GuestEnd guest = serial_guest();
  ASSERT_TRUE(guest.send_raw(kPrefix));
  pass(kFrameStartPatience);
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "guest_timeout");
}

TEST_F(SerialSocket, BeginningOfAFrameTakesAnAttempt) {
  GuestEnd guest = serial_guest();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(guest.attest(plain())) << i;
  ASSERT_TRUE(guest.send_raw(kPrefix + "{"));
  EXPECT_EQ(code_in(guest.receive(), Phase::negotiation), "attempts_exhausted");
  EXPECT_EQ(broker_.sessions, 4);
}

TEST(SerialServer, MoreNoiseThanIsSkippedIsToldToTheLogAlone) {
  LogCapture log;
  {
    FakeBroker broker(plain());
    posix::Pty pty;
    const Running server(broker, Running::defaults(), door_at(pty.device));
    SerialGuest guest(std::move(pty.controller));
    ASSERT_TRUE(guest.end.send_raw(std::string(5000, '#')));
    EXPECT_TRUE(guest.attest());
  }
  EXPECT_TRUE(log.has(R"("code":"line_noise")")) << log.text();
  EXPECT_TRUE(log.has(R"("told":false)")) << log.text();
}

TEST(SerialServer, SocketOfASerialPortFollowsTheSameRules) {
  FakeBroker broker(plain());
  const std::string path = "/tmp/attestbed-unix-serial-" + std::to_string(getpid()) + ".sock";
  Running::Doors doors;
  doors.push_back(*listen_on_unix(path, posix::IfExists::refuse, LineKind::serial));
  EXPECT_EQ(doors.front()->name(), "unix-serial:" + path);
  const Running server(broker, Running::defaults(), std::move(doors));
  GuestEnd guest = GuestEnd::connect(path);
  ASSERT_TRUE(guest.send_raw(std::string(100, '#')));
  ASSERT_TRUE(guest.send(plain().negotiation_request));
  EXPECT_EQ(guest.receive(), plain().negotiation_response) << "behind noise";
  ASSERT_TRUE(guest.send(plain().negotiation_request));
  EXPECT_EQ(guest.receive(), plain().negotiation_response) << "asked again";
  ASSERT_TRUE(guest.send(plain().attestation_request));
  EXPECT_EQ(guest.receive(), plain().attestation_response);
  EXPECT_TRUE(server.guest().attest(plain())) << "the door without these rules";
}

}  // namespace
}  // namespace attestbed::proxy
