// SPDX-License-Identifier: Apache-2.0
// attest-guest as a process, against a host that answers what it likes. The answers are texts, not our encoder's work.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "core/posix/fd_transport.h"
#include "core/protocol/frame.h"
#include "tests/programs.h"

namespace attestbed::programs {
namespace {

using protocol::kFramePrefixBytes;

std::string framed(std::string_view body) {
  std::string frame;
  for (std::size_t i = 0; i < kFramePrefixBytes; ++i) frame += static_cast<char>(body.size() >> (8 * i) & 0xff);
  return frame + std::string(body);
}

// The challenge of the worked example in docs/protocol.md.
const std::string kChallenge =
    framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["EcPublicKeyBytes","Challenge"]})");

/// Host accepts one guest and, after each frame of it, writes the next of its answers; then it closes, or falls silent
/// until the guest gives up.
class Host {
 public:
  enum class Then { close, silence };

  Host(const std::string& path, std::vector<std::string> answers, Then then)
      : listener_(posix::listen_unix(path, 4, posix::IfExists::refuse)) {
    if (listener_)
      thread_ = std::jthread(
          [this, answers = std::move(answers), then](const std::stop_token& stop) { serve(answers, then, stop); });
  }
  bool listens() const { return listener_.has_value(); }

 private:
  void serve(const std::vector<std::string>& answers, Then then, const std::stop_token& stop) {
    pollfd watched{.fd = listener_->get(), .events = POLLIN, .revents = 0};
    while (::poll(&watched, 1, 20) == 0) {
      if (stop.stop_requested()) return;
    }
    posix::FdTransport guest(posix::Fd(::accept4(listener_->get(), nullptr, nullptr, SOCK_CLOEXEC)), clock_);
    ByteArray<4096> frame;
    const Deadline until = clock_.now() + std::chrono::seconds(120);
    for (const std::string& answer : answers) {
      if (!protocol::receive_frame(guest, frame, until)) return;
      if (!guest.write_all(bytes_of(answer), until)) return;
    }
    // Not before the guest has asked: a line that closes under a writer is another case than one that never answers.
    if (answers.empty() && !protocol::receive_frame(guest, frame, until)) return;
    while (then == Then::silence && guest.read_some(frame, until)) {
    }
  }

  posix::SteadyClock clock_;
  Result<posix::Fd> listener_;
  std::jthread thread_;
};

struct HostCase {
  const char* name;
  std::vector<std::string> answers;
  Host::Then then;
  int exit;
  const char* code;
};

class HostileHost : public ProgramTest, public testing::WithParamInterface<HostCase> {};

TEST_P(HostileHost, EndsTheGuestWithItsCode) {
  start_machine();
  Host host(file("proxy.sock"), GetParam().answers, GetParam().then);
  ASSERT_TRUE(host.listens());
  // Little time only where it must run out, and enough of it to get so far.
  const bool runs_out = std::string_view(GetParam().code) == "deadline";
  const Finished guest = this->guest({"--timeout", runs_out ? "8" : "60", "--out", file("key")});
  EXPECT_EQ(guest.exit.text(), "exit " + std::to_string(GetParam().exit)) << guest.err;
  EXPECT_EQ(guest.json()["code"], GetParam().code) << guest.out;
  EXPECT_EQ(guest.json()["secret"], nullptr);
  EXPECT_FALSE(read(file("key")));
  EXPECT_EQ(std::count(guest.err.begin(), guest.err.end(), '\n'), 1) << guest.err;
}

using Answers = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(
    Answers, HostileHost,
    testing::Values(
        HostCase{"ClosesInsteadOfAnswering", {}, Host::Then::close, 3, "closed"},
        HostCase{"NeverAnswers", {}, Host::Then::silence, 3, "deadline"},
        HostCase{"AnswersOnceThenNever", Answers{kChallenge}, Host::Then::silence, 3, "deadline"},
        HostCase{"StopsInsideAFrame", Answers{kChallenge.substr(0, 40)}, Host::Then::close, 5, "truncated"},
        HostCase{"EmptyFrame", Answers{std::string(8, '\0')}, Host::Then::silence, 5, "frame_empty"},
        HostCase{"LengthOfEverything", Answers{std::string(8, '\xff')}, Host::Then::silence, 5, "frame_too_large"},
        HostCase{"LengthOneTooLarge", Answers{std::string("\x01\x00\x01\x00\x00\x00\x00\x00", 8)}, Host::Then::silence,
                 5, "frame_too_large"},
        HostCase{"NotJson", Answers{framed("hello")}, Host::Then::silence, 5, "bad_json"},
        // The attack on the key binding: the host wants to be the only one who chooses what the report binds.
        HostCase{"ParamsWithoutTheKey",
                 Answers{framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["Challenge"]})")},
                 Host::Then::silence, 5, "host_chosen_params"},
        HostCase{
            "ParamsReversed",
            Answers{framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["Challenge","EcPublicKeyBytes"]})")},
            Host::Then::silence, 5, "host_chosen_params"},
        HostCase{"ChallengeTooShort",
                 Answers{framed(R"({"challenge":"AAAAAAAAAAA=","params":["EcPublicKeyBytes","Challenge"]})")},
                 Host::Then::silence, 5, "host_chosen_challenge"},
        HostCase{
            "RefusesTheVersion",
            Answers{framed(R"({"ext":{"error":{"code":"version_unsupported","phase":"negotiation","detail":"no"}}})")},
            Host::Then::silence, 1, "version_unsupported"},
        HostCase{"RefusesWithAnUnknownCode",
                 Answers{framed(R"({"ext":{"error":{"code":"full_moon","phase":"negotiation","detail":"no"}}})")},
                 Host::Then::silence, 1, "refused"},
        HostCase{
            "BlamesTheBroker",
            Answers{framed(R"({"ext":{"error":{"code":"broker_unreachable","phase":"negotiation","detail":"no"}}})")},
            Host::Then::silence, 3, "broker_unreachable"},
        HostCase{"StockRefusal", Answers{kChallenge, framed(R"({"success":false,"decryption":null,"token":null})")},
                 Host::Then::silence, 1, "refused"},
        HostCase{"SuccessWithoutSecret",
                 Answers{kChallenge, framed(R"({"success":true,"decryption":null,"token":null})")}, Host::Then::silence,
                 5, "contradiction"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace attestbed::programs
