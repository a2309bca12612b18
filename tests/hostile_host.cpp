// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile_host.h"

#include <poll.h>
#include <sys/socket.h>

#include <ostream>

#include "core/posix/fd_transport.h"
#include "core/protocol/frame.h"

namespace attestbed::programs {
namespace {

std::string framed(std::string_view body) {
  std::string frame;
  for (std::size_t i = 0; i < protocol::kFramePrefixBytes; ++i)
    frame += static_cast<char>(body.size() >> (8 * i) & 0xff);
  return frame + std::string(body);
}

// The challenge of the worked example in docs/protocol.md.
const std::string kChallenge =
    framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["EcPublicKeyBytes","Challenge"]})");

// A serial line's guest hears its host's kernel, too.
const std::string kKernelWords = "[    0.000000] Linux version\r\n";

}  // namespace

void PrintTo(const HostCase& one, std::ostream* out) {
  *out << one.name;
}

const std::vector<HostCase>& host_cases() {
  static const std::vector<HostCase> cases = {

      {"AnOctetASecond", {}, HostCase::Then::trickle, 3, "deadline"},
      {"HalfAFrameThenNothing", {kChallenge.substr(0, 40)}, HostCase::Then::silence, 3, "deadline"},
      {"HalfALengthThenNothing", {kChallenge.substr(0, 3)}, HostCase::Then::silence, 3, "deadline"},
      {"EndInTheLength", {kChallenge.substr(0, 3)}, HostCase::Then::close, 5, "truncated"},
      {"NoiseBeforeTheAnswer", {kKernelWords + kChallenge}, HostCase::Then::silence, 5, "frame_too_large"},
      {"NoiseInsideTheAnswer",
       {kChallenge.substr(0, 40) + kKernelWords + kChallenge.substr(40)},
       HostCase::Then::silence,
       5,
       "bad_json"},
      {"OctetAfterTheObject", {framed(kChallenge.substr(8) + "x")}, HostCase::Then::silence, 5, "trailing_bytes"},
      {"ClosesInsteadOfAnswering", {}, HostCase::Then::close, 3, "closed"},
      {"NeverAnswers", {}, HostCase::Then::silence, 3, "deadline"},
      {"AnswersOnceThenNever", {kChallenge}, HostCase::Then::silence, 3, "deadline"},
      {"StopsInsideAFrame", {kChallenge.substr(0, 40)}, HostCase::Then::close, 5, "truncated"},
      {"EmptyFrame", {std::string(8, '\0')}, HostCase::Then::silence, 5, "frame_empty"},
      {"LengthOfEverything", {std::string(8, '\xff')}, HostCase::Then::silence, 5, "frame_too_large"},
      {"LengthOneTooLarge",
       {std::string("\x01\x00\x01\x00\x00\x00\x00\x00", 8)},
       HostCase::Then::silence,
       5,
       "frame_too_large"},
      {"NotJson", {framed("hello")}, HostCase::Then::silence, 5, "bad_json"},
      // The attack on the key binding: the host wants to be the only one who chooses what the report binds.
      {"ParamsWithoutTheKey",
       {framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["Challenge"]})")},
       HostCase::Then::silence,
       5,
       "host_chosen_params"},
      {"ParamsReversed",
       {framed(R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["Challenge","EcPublicKeyBytes"]})")},
       HostCase::Then::silence,
       5,
       "host_chosen_params"},
      {"ChallengeTooShort",
       {framed(R"({"challenge":"AAAAAAAAAAA=","params":["EcPublicKeyBytes","Challenge"]})")},
       HostCase::Then::silence,
       5,
       "host_chosen_challenge"},
      {"RefusesTheVersion",
       {framed(R"({"ext":{"error":{"code":"version_unsupported","phase":"negotiation","detail":"no"}}})")},
       HostCase::Then::silence,
       1,
       "version_unsupported"},
      {"RefusesWithAnUnknownCode",
       {framed(R"({"ext":{"error":{"code":"full_moon","phase":"negotiation","detail":"no"}}})")},
       HostCase::Then::silence,
       1,
       "refused"},
      {"BlamesTheBroker",
       {framed(R"({"ext":{"error":{"code":"broker_unreachable","phase":"negotiation","detail":"no"}}})")},
       HostCase::Then::silence,
       3,
       "broker_unreachable"},
      {"StockRefusal",
       {kChallenge, framed(R"({"success":false,"decryption":null,"token":null})")},
       HostCase::Then::silence,
       1,
       "refused"},
      {"SuccessWithoutSecret",
       {kChallenge, framed(R"({"success":true,"decryption":null,"token":null})")},
       HostCase::Then::silence,
       5,
       "contradiction"}};
  return cases;
}

Host::Host(const std::string& path, const HostCase& how) {
  Result<posix::Fd> listener = posix::listen_unix(path, 4, posix::IfExists::refuse);
  if (!listener) return;
  thread_ = std::jthread(
      [this, &how, owned = *std::move(listener)](const std::stop_token& stop) { serve_at(owned, how, stop); });
}

Host::Host(posix::Fd line, const HostCase& how) {
  thread_ = std::jthread([this, &how, owned = std::move(line)](const std::stop_token& stop) mutable {
    serve(std::move(owned), how, stop);
  });
}

void Host::serve_at(const posix::Fd& listener, const HostCase& how, const std::stop_token& stop) {
  pollfd watched{.fd = listener.get(), .events = POLLIN, .revents = 0};
  while (::poll(&watched, 1, 20) == 0) {
    if (stop.stop_requested()) return;
  }
  serve(posix::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)), how, stop);
}

void Host::serve(posix::Fd line, const HostCase& how, const std::stop_token& stop) {
  using std::chrono_literals::operator""s;
  posix::FdTransport guest(std::move(line), clock_);
  ByteArray<4096> frame;
  const Deadline until = clock_.now() + 120s;
  for (const std::string& answer : how.answers) {
    if (!protocol::receive_frame(guest, frame, until)) return;
    if (!guest.write_all(bytes_of(answer), until)) return;
  }
  // Not before the guest has asked: a line that closes under a writer is another case than one that never answers.
  if (how.answers.empty() && !protocol::receive_frame(guest, frame, until)) return;
  const std::string all = how.then == HostCase::Then::trickle ? kChallenge : "";
  for (std::size_t sent = 0; how.then != HostCase::Then::close && clock_.now() < until && !stop.stop_requested();) {
    if (sent < all.size() && !guest.write_all(bytes_of({&all[sent++], 1}), until)) return;
    const auto came = guest.read_some(frame, clock_.now() + 1s);
    if (!came && came.error().code != Errc::deadline) return;
  }
}

}  // namespace attestbed::programs
