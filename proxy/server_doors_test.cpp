// SPDX-License-Identifier: Apache-2.0
// Several doors at once, and peers that come back through one of them.
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <mutex>

#include "core/posix/vsock.h"
#include "proxy/doors.h"
#include "proxy/hand_clock.h"
#include "proxy/log_capture.h"
#include "proxy/running_server.h"
#include "proxy/vsock_listener.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using protocol::Phase;

const VectorCase& plain() {
  return vector_case("plain");
}

// What comes in through a FakeDoor, from machines that the test names; as over vsock, which few test machines have.
class Street {
 public:
  GuestEnd connect(const std::string& cid) {
    SocketPair ends = socket_pair();
    const std::lock_guard lock(mutex_);
    waiting_.push_back({.fd = std::move(ends.proxy_end),
                        .name = cid,
                        .peer = cid,
                        .kind = LineKind::connected,
                        .after_answer = AfterAnswer::close});
    const std::uint64_t one = 1;
    EXPECT_EQ(write(bell_.get(), &one, sizeof one), ssize_t{sizeof one});
    return GuestEnd(std::move(ends.guest_end));
  }
  std::optional<NewLine> take() {
    const std::lock_guard lock(mutex_);
    std::uint64_t rung = 0;
    (void)!read(bell_.get(), &rung, sizeof rung);
    if (waiting_.empty()) return std::nullopt;
    NewLine line = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return line;
  }
  int fd() const { return bell_.get(); }

 private:
  std::mutex mutex_;
  std::vector<NewLine> waiting_;
  posix::Fd bell_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

class FakeDoor final : public Listener {
 public:
  explicit FakeDoor(Street& street) : street_(street) {}
  std::string name() const override { return "fake"; }
  int fd() const override { return street_.fd(); }
  Deadline due() const override { return kNever; }
  Result<std::optional<NewLine>> accept() override { return street_.take(); }
  void line_ended() override {}

 private:
  Street& street_;
};

Running::Doors door_to(Street& street) {
  Running::Doors doors;
  doors.push_back(std::make_unique<FakeDoor>(street));
  return doors;
}

TEST(Doors, LineIsClosedAfterTheAnswerIfItsDoorSaysSo) {
  FakeBroker broker(plain());
  Street street;
  const Running server(broker, Running::defaults(), door_to(street));
  GuestEnd guest = street.connect("cid 3");
  EXPECT_TRUE(guest.attest(plain()));
  EXPECT_EQ(guest.receive(), "(closed)");
}

TEST(Doors, MachineKeepsItsBudgetWhenItConnectsAnew) {
  FakeBroker broker(plain());
  Street street;
  ServerConfig config = Running::defaults();
  config.attempts = {.at_once = 2, .interval = 1h};
  const Running server(broker, config, door_to(street));
  EXPECT_TRUE(street.connect("cid 3").attest(plain()));
  EXPECT_TRUE(street.connect("cid 3").attest(plain()));
  GuestEnd third = street.connect("cid 3");
  ASSERT_TRUE(third.send(plain().negotiation_request));
  EXPECT_EQ(code_in(third.receive(), Phase::negotiation), "attempts_exhausted");
  EXPECT_EQ(third.receive(), "(closed)");
  EXPECT_TRUE(street.connect("cid 4").attest(plain()));
  EXPECT_EQ(broker.sessions, 3);
}

TEST(Doors, MachineThatOpensLinesWithoutEndShutsOutItselfAlone) {
  FakeBroker broker(plain());
  Street street;
  ServerConfig config = Running::defaults();
  config.max_lines = 8;
  config.max_lines_per_peer = 4;
  const Running server(broker, config, door_to(street));
  std::vector<GuestEnd> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(street.connect("cid 7"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(street.connect("cid 7").receive(), "(closed)") << i;
  EXPECT_TRUE(street.connect("cid 8").attest(plain()));
  silent.pop_back();
  for (bool again = true; again;)
    again = !street.connect("cid 7").attest(plain());  // once its place is seen to be free
}

// Time stands still, so that one period holds them all.
TEST(Doors, LinesThatAreTurnedAwayWriteSoManyLogLinesAndNoMore) {
  LogCapture log;
  {
    FakeBroker broker(plain());
    Street street;
    ServerConfig config = Running::defaults();
    config.max_lines_per_peer = 0;
    HandClock clock;
    const Running server(broker, config, door_to(street), &clock);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(street.connect("cid 7").receive(), "(closed)") << i;
    clock.move(1s);
    for (int i = 0; i < 2; ++i) ASSERT_EQ(street.connect("cid 7").receive(), "(closed)") << i;
  }
  EXPECT_EQ(log.count(R"("event":"turned_away")"), 32 + 2) << log.text();
  EXPECT_EQ(log.count(R"("left_out":)"), 1) << log.text();
  EXPECT_TRUE(log.has(R"("left_out":68)")) << log.text();
}

TEST(Doors, CrowdAtOneDoorGivesWayToAnother) {
  FakeBroker broker(plain());
  Street street;
  ServerConfig config = Running::defaults();
  config.max_lines = 4;
  const Running server(broker, config, door_to(street));
  GuestEnd first = server.guest();
  ASSERT_TRUE(first.attest(plain())) << "it has a line, the only one of its door";
  std::vector<GuestEnd> crowd;
  for (const char* cid : {"cid 3", "cid 4", "cid 4"}) crowd.push_back(street.connect(cid));
  GuestEnd fifth = street.connect("cid 5");
  EXPECT_TRUE(fifth.attest(plain()));
  EXPECT_EQ(crowd[1].receive(), "(closed)") << "the older one of the machine with most lines";
  EXPECT_TRUE(first.attest(plain()));
  EXPECT_TRUE(crowd[0].attest(plain()));
  EXPECT_TRUE(crowd[2].attest(plain()));
}

TEST(Doors, MachineWithManyLinesHasNoMoreSessionsThanItsShare) {
  FakeBroker broker(plain());
  Street street;
  ServerConfig config = Running::defaults();
  config.max_sessions = 4;
  config.max_sessions_per_peer = 2;
  config.queue_wait = 0s;
  const Running server(broker, config, door_to(street));
  std::vector<GuestEnd> crowd;
  for (int i = 0; i < 2; ++i) {
    crowd.push_back(street.connect("cid 3"));
    ASSERT_TRUE(crowd.back().send(plain().negotiation_request));
    ASSERT_EQ(crowd.back().receive(), plain().negotiation_response);
  }
  GuestEnd one_more = street.connect("cid 3");
  ASSERT_TRUE(one_more.send(plain().negotiation_request));
  EXPECT_EQ(code_in(one_more.receive(), Phase::negotiation), "proxy_busy");
  EXPECT_TRUE(street.connect("cid 4").attest(plain()));
  EXPECT_TRUE(server.guest().attest(plain()));
}

TEST(Doors, StopShutsThemAll) {
  FakeBroker broker(plain());
  Street street;
  ServerConfig config = Running::defaults();
  config.grace = 60s;
  Running server(broker, config, door_to(street));
  GuestEnd first_idle = server.guest(), second_idle = street.connect("cid 3");
  GuestEnd running = street.connect("cid 4");
  ASSERT_TRUE(running.send(plain().negotiation_request));
  ASSERT_EQ(running.receive(), plain().negotiation_response);
  server.signal_stop();
  EXPECT_EQ(first_idle.receive(), "(closed)");
  EXPECT_EQ(second_idle.receive(), "(closed)");
  ASSERT_TRUE(running.send(plain().attestation_request));
  EXPECT_EQ(running.receive(), plain().attestation_response);
  EXPECT_TRUE(server.ended());
}

// ---- Sockets that a supervisor hands over.

TEST(AdoptDoor, TakesAUnixSocketThatListensAndLeavesItsPath) {
  const Directory directory;
  posix::Fd given = *posix::listen_unix(directory.socket(), 1, posix::IfExists::refuse);
  {
    auto door = adopt_door(std::move(given));
    ASSERT_TRUE(door);
    EXPECT_EQ((*door)->name(), "unix:" + directory.socket());
    posix::SteadyClock clock;
    const auto guest = posix::connect_unix(directory.socket(), clock, clock.now() + 60s);
    ASSERT_TRUE(guest);
    const auto line = (*door)->accept();
    ASSERT_TRUE(line && *line);
  }
  struct stat about {};
  EXPECT_EQ(lstat(directory.socket().c_str(), &about), 0) << "who made it removes it";
}

// A socket that blocks would hold the one thread that watches every line until somebody comes.
void expect_unblocked(posix::Fd given) {
  const posix::Fd same(fcntl(given.get(), F_DUPFD_CLOEXEC, 0));
  ASSERT_EQ(fcntl(same.get(), F_SETFL, fcntl(same.get(), F_GETFL) & ~O_NONBLOCK), 0);
  auto door = adopt_door(std::move(given));
  ASSERT_TRUE(door);
  ASSERT_NE(fcntl(same.get(), F_GETFL) & O_NONBLOCK, 0) << (*door)->name();
  const auto nobody = (*door)->accept();
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(*nobody);
}

TEST(AdoptDoor, NeverWaitsForALine) {
  const Directory directory;
  expect_unblocked(*posix::listen_unix(directory.socket(), 1, posix::IfExists::refuse));
}

TEST(AdoptDoor, NeverWaitsForALineOfVsock) {
  auto given = posix::listen_vsock(54322, 1);
  if (!given) GTEST_SKIP() << "no vsock here: " << error_name(given.error().code);
  expect_unblocked(*std::move(given));
}

TEST(AdoptDoor, RefusesEverythingElse) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const posix::Fd writer(pipe_ends[1]);
  SocketPair connected = socket_pair();
  std::vector<posix::Fd> wrong;
  wrong.emplace_back(pipe_ends[0]);
  wrong.push_back(std::move(connected.proxy_end));
  wrong.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  wrong.emplace_back(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  posix::Fd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listen(tcp.get(), 1) == 0) wrong.push_back(std::move(tcp));
  for (posix::Fd& fd : wrong) {
    const std::string name = "descriptor " + std::to_string(fd.get());
    const auto door = adopt_door(std::move(fd));
    ASSERT_FALSE(door) << name;
    EXPECT_EQ(door.error().name, name);
    EXPECT_EQ(door.error().error.code, Errc::bad_config);
  }
}

TEST(OpenDoors, ShutsWhatItOpenedWhenOneFails) {
  const Directory directory;
  posix::SteadyClock clock;
  Doors wanted;
  wanted.unix_paths = {directory.socket()};
  wanted.serial_devices = {directory.link()};
  const auto doors = open_doors(wanted, clock);
  ASSERT_FALSE(doors);
  EXPECT_EQ(doors.error().name, "serial:" + directory.link());
  EXPECT_EQ(doors.error().error.code, Errc::transport);
  EXPECT_EQ(doors.error().error.found, std::uint64_t{ENOENT});
  struct stat about {};
  EXPECT_NE(lstat(directory.socket().c_str(), &about), 0);
}

TEST(VsockListener, NamesItsPortOrSaysThatThereIsNoVsock) {
  const auto door = listen_on_vsock(54321);
  if (!door) {
    EXPECT_EQ(door.error().code, Errc::vsock_unavailable);
    return;
  }
  EXPECT_EQ((*door)->name(), "vsock:54321");
  const auto nobody = (*door)->accept();
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(*nobody);
}

}  // namespace
}  // namespace attestbed::proxy
