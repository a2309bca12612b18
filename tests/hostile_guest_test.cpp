// SPDX-License-Identifier: Apache-2.0
// The proxy as a process between honest guests and as many hostile lines, over sockets and serial devices: every
// hostile one is told what was wrong before the deadline, and every honest one has its secret.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <memory>

#include "core/attest.h"
#include "core/posix/fd_transport.h"
#include "core/posix/firmware_socket.h"
#include "core/posix/pty_pair.h"
#include "core/protocol/frame.h"
#include "core/snp/guest_channel.h"
#include "tests/programs.h"

namespace attestbed::programs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kEach = 64;

std::string prefix(std::uint64_t length) {
  std::string octets;
  for (unsigned i = 0; i < protocol::kFramePrefixBytes; ++i) octets += static_cast<char>(length >> (8 * i) & 0xff);
  return octets;
}
std::string framed(const std::string& body) {
  return prefix(body.size()) + body;
}
const std::string kRequest = R"({"version":[0,1,0],"tee":"snp"})";
const std::string kTimeout = R"("code":"guest_timeout")";
const std::string kMalformed = R"("code":"malformed_request")";

// What a line is at the proxy: a socket, a terminal, or the socket of a serial port.
enum class Line { connected, serial, serial_socket };
enum class Manner { at_once, an_octet_a_second, then_end, then_trickle, in_the_attempt };

/// Hostile is one way to be hostile.
///   octets  what it sends; in_the_attempt: after a good request and its answer
///   code    what the answer has to hold; empty = there is none, only the log says
///   detail  also in the answer
struct Hostile {
  const char* name;
  Line line;
  std::string octets;
  Manner manner;
  std::string code, detail;
};

std::vector<Hostile> kinds() {
  const std::string half = framed(kRequest).substr(0, 20);
  const std::string word = "kernel: a word about something else\r\n";
  return {
      {"length 2^64-1", Line::connected, prefix(~std::uint64_t{0}), Manner::at_once, kMalformed, "frame_too_large"},
      {"length 65537", Line::connected, prefix(65537), Manner::at_once, kMalformed, "frame_too_large"},
      {"frame of nothing", Line::connected, prefix(0), Manner::at_once, kMalformed, "frame_empty"},
      {"trailing octet", Line::connected, framed(kRequest + "x"), Manner::at_once, kMalformed, "trailing_bytes"},
      {"end in the length", Line::connected, half.substr(0, 3), Manner::then_end, kMalformed,
       "truncated at frame length"},
      {"end in the body", Line::connected, half, Manner::then_end, kMalformed, "truncated at frame body"},
      {"half a frame", Line::connected, half, Manner::at_once, kTimeout, "not complete"},
      {"an octet a second", Line::connected, framed(kRequest), Manner::an_octet_a_second, kTimeout, "not complete"},
      {"one octet", Line::connected, half.substr(0, 1), Manner::at_once, kTimeout, "not complete"},
      {"noise before", Line::connected, word + framed(kRequest), Manner::at_once, kMalformed, "frame_too_large"},
      {"noise inside", Line::connected, word, Manner::in_the_attempt, kMalformed, "frame_too_large"},
      {"silence inside", Line::connected, "", Manner::in_the_attempt, kTimeout, "not complete"},
      {"noise without end", Line::serial_socket, std::string(6000, '#'), Manner::then_trickle, "(closed)", ""},
      {"half a frame", Line::serial_socket, half, Manner::at_once, kTimeout, "not complete"},
      {"noise inside", Line::serial_socket, word, Manner::in_the_attempt, kMalformed, "frame_too_large"},
      // A serial line may carry anything before the first frame: what is none is named in the log alone.
      {"length 2^64-1", Line::serial, prefix(~std::uint64_t{0}), Manner::at_once, "", ""},
      {"frame of nothing", Line::serial, prefix(0), Manner::at_once, "", ""},
      {"a length alone", Line::serial, prefix(31), Manner::at_once, kTimeout, "not complete"},
      {"trailing octet", Line::serial, framed(kRequest + "x"), Manner::at_once, kMalformed, "trailing_bytes"},
      {"half a frame", Line::serial, half, Manner::at_once, kTimeout, "not complete"},
      {"an octet a second", Line::serial, framed(kRequest), Manner::an_octet_a_second, kTimeout, "not complete"},
      {"one octet", Line::serial, half.substr(0, 1), Manner::at_once, "", ""},
      {"noise inside", Line::serial, word, Manner::in_the_attempt, kMalformed, "frame_too_large"},
      {"frame of nothing inside", Line::serial, prefix(0), Manner::in_the_attempt, kMalformed, "frame_empty"},
      {"noise above the cap", Line::serial, std::string(6000, '#'), Manner::at_once, "", "line_noise"},
  };
}

class HostileGuest : public ProgramTest {
 protected:
  HostileGuest() {
    const std::vector<Hostile> all = kinds();
    std::vector<Hostile> connected;
    std::ranges::copy_if(all, std::back_inserter(connected),
                         [](const Hostile& one) { return one.line != Line::serial; });
    std::ranges::copy_if(all, std::back_inserter(hostile_),
                         [](const Hostile& one) { return one.line == Line::serial; });
    terminals_ = std::vector<posix::Pty>(hostile_.size());
    for (std::size_t i = 0; hostile_.size() < kEach; ++i) hostile_.push_back(connected[i % connected.size()]);
  }

  void start_proxy_with_terminals() {
    std::vector<std::string> args = {
        "--url",          url_, "--protocol",   "kbs", "--unix",        file("proxy.sock"), "--timeout", "10",
        "--max-sessions", "32", "--queue-wait", "60",  "--unix-serial", file("serial.sock")};
    for (const posix::Pty& terminal : terminals_) args.insert(args.end(), {"--serial", terminal.device});
    start_ready("attest-proxy", args);
  }

  // play is one hostile line: what it was answered, or "(code)" of how reading ended.
  std::string play(const Hostile& how, posix::Fd fd) {
    posix::SteadyClock clock;
    const int raw = fd.get();
    posix::FdTransport line(std::move(fd), clock);
    const Deadline until = clock.now() + 60s;
    std::vector<std::uint8_t> memory(protocol::kMaxFrameBytes);
    if (how.manner == Manner::in_the_attempt) {
      (void)line.write_all(bytes_of(framed(kRequest)), until);
      if (!protocol::receive_frame(line, memory, until)) return "(no challenge)";
    }
    if (how.manner == Manner::then_trickle) {
      (void)line.write_all(bytes_of(how.octets), until);
      while (clock.now() < until) {
        (void)line.write_all(bytes_of("#"), until);
        if (says_something(raw, 200)) return answer(line, memory, until);
      }
      return "(deadline)";
    }
    if (how.manner != Manner::an_octet_a_second) {
      (void)line.write_all(bytes_of(how.octets), until);
      if (how.manner == Manner::then_end) ::shutdown(raw, SHUT_WR);
      return answer(line, memory, how.code.empty() ? clock.now() : until);
    }
    for (const char octet : how.octets) {
      (void)line.write_all(bytes_of({&octet, 1}), until);
      if (says_something(raw, 1000)) return answer(line, memory, until);
    }
    return "(never answered)";
  }

  // says_something waits for an answer's first octet: a deadline inside an answer would lose its beginning.
  static bool says_something(int fd, int milliseconds) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, milliseconds) > 0;
  }

  static std::string answer(Transport& line, MutBytes memory, Deadline until) {
    const auto body = protocol::receive_frame(line, memory, until);
    return body ? std::string(text_of(*body)) : "(" + std::string(error_name(body.error().code)) + ")";
  }

  // result_of waits for what another thread does. What the programs write is read meanwhile: a log that nobody reads
  // stops its writer.
  template <class T>
  T result_of(std::future<T>& work) {
    while (work.wait_for(0s) != std::future_status::ready) {
      (void)children_->wait_exit(child("attest-proxy"), clock_.now() + 50ms);
    }
    return work.get();
  }

  posix::Fd connect(const char* door = "proxy.sock") {
    posix::SteadyClock clock;
    auto line = posix::connect_unix(file(door), clock, clock.now() + 60s);
    return line ? *std::move(line) : posix::Fd();
  }

  // attest_once is an honest guest from its launch to its secret: "released", or what went wrong.
  std::string attest_once() {
    posix::SteadyClock clock;
    posix::KernelEntropy entropy;
    const auto workspace = std::make_unique<Workspace>();
    const auto pages = std::make_unique<snp::ChannelPages>();
    const Deadline until = clock.now() + 100s;
    auto firmware = posix::FirmwareSocket::connect(file("firmware.sock"), clock, until);
    if (!firmware || !(*firmware)->secrets_page(pages->scratch, until)) return "no firmware";
    Result<snp::Vmpck> vmpck = snp::vmpck_from_secrets_page(pages->scratch, 0);
    if (!vmpck) return "no key";
    snp::GuestChannel channel(*std::move(vmpck), **firmware, clock, *pages, {});
    posix::FdTransport line(connect(), clock);
    AttestConfig config;
    config.secret_auth = SecretAuth::none;
    config.budget = 90s;
    const auto released = attest({line, channel, entropy, clock}, config, *workspace);
    if (!released) return error_name(released.error().code);
    return text_of(Bytes(released->secret)) == kSecretText ? "released" : "another secret";
  }

  std::vector<Hostile> hostile_;  // the serial ones first, one for every terminal
  std::vector<posix::Pty> terminals_;
};

TEST_F(HostileGuest, IsToldWhatWasWrongWhileHonestOnesAreServed) {
  start_machine();
  start_broker(measurement_);
  start_proxy_with_terminals();
  std::vector<std::future<std::string>> answers;
  for (std::size_t i = 0; i < hostile_.size(); ++i) {
    posix::Fd fd = i < terminals_.size() ? posix::Fd(dup(terminals_[i].controller.get()))
                                         : connect(hostile_[i].line == Line::connected ? "proxy.sock" : "serial.sock");
    answers.push_back(std::async(std::launch::async, [this, i, owned = std::move(fd)]() mutable {
      return play(hostile_[i], std::move(owned));
    }));
  }
  std::vector<std::future<std::string>> honest;
  for (std::size_t i = 0; i < kEach; ++i) {
    honest.push_back(std::async(std::launch::async, [this] { return attest_once(); }));
  }
  std::size_t released = 0;
  for (auto& one : honest) {
    const std::string outcome = result_of(one);
    EXPECT_EQ(outcome, "released");
    if (outcome == "released") ++released;
  }
  EXPECT_EQ(released, kEach);
  for (std::size_t i = 0; i < hostile_.size(); ++i) {
    const Hostile& how = hostile_[i];
    const std::string got = result_of(answers[i]);
    if (how.code.empty()) continue;
    EXPECT_NE(got.find(how.code), std::string::npos) << how.name << ": " << got;
    EXPECT_NE(got.find(how.detail), std::string::npos) << how.name << ": " << got;
  }

  children_->end(child("attest-proxy"));
  EXPECT_EQ(events("attest-proxy", "released").size(), kEach);
  // What is no frame is named in the log alone, and never had a session.
  std::size_t noise = 0, lengths = 0;
  for (const nlohmann::json& one : events("attest-proxy", "turned_away")) {
    EXPECT_EQ(one["told"], one["code"] != "line_noise") << one;
    (one["code"] == "line_noise" ? noise : lengths) += 1;
  }
  const auto without_session = [](const Hostile& one) { return one.code.empty() || one.code == "(closed)"; };
  EXPECT_EQ(noise, static_cast<std::size_t>(std::ranges::count_if(hostile_, without_session)));
  EXPECT_EQ(lengths, 1U) << "the length alone";
  EXPECT_EQ(events("attest-proxy", "refused").size(), kEach - noise - lengths);
}

}  // namespace
}  // namespace attestbed::programs
