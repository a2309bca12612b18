// SPDX-License-Identifier: Apache-2.0
#include "proxy/fake_broker.h"

#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "core/protocol/frame.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
constexpr auto kGenerous = 60s;

template <std::size_t N>
ByteArray<N> fixed(const std::string& octets) {
  ByteArray<N> array{};
  std::ranges::copy(octets, array.begin());
  return array;
}

}  // namespace

class FakeSession final : public BrokerSession {
 public:
  FakeSession(FakeBroker& broker, const std::atomic<bool>& cancelled) : broker_(broker), cancelled_(cancelled) {}

  Outcome<protocol::Challenge> auth(protocol::Tee, Deadline until) override {
    TRY(begin(FakeBroker::Call::auth, 0, until));
    const auto challenge = protocol::Challenge::make(bytes_of(broker_.recorded_.challenge));
    if (!challenge) return Failure{Errc::broker_nonce, "recorded", {}};
    return *challenge;
  }
  Outcome<std::string> attest(const protocol::AttestationRequest&, protocol::Binding, Deadline until) override {
    ++broker_.attests;
    TRY(begin(FakeBroker::Call::attest, 1, until));
    return broker_.token.empty() ? broker_.recorded_.token : broker_.token;
  }
  Outcome<SealedSecret> resource(const protocol::ResourcePath&, Deadline until) override {
    TRY(begin(FakeBroker::Call::resource, 2, until));
    const VectorCase& recorded = broker_.recorded_;
    const auto epk = crypto::EcPoint::make(crypto::Curve::p521, bytes_of(recorded.epk_x), bytes_of(recorded.epk_y), "");
    SealedSecret sealed{.protected_header = recorded.protected_header,
                        .epk = *epk,
                        .wrapped_cek = fixed<40>(recorded.wrapped_cek),
                        .iv = fixed<12>(recorded.iv),
                        .tag = fixed<16>(recorded.tag),
                        .ciphertext = {recorded.ciphertext.begin(), recorded.ciphertext.end()}};
    if (broker_.ciphertext_octets != 0) sealed.ciphertext.assign(broker_.ciphertext_octets, 0x5a);
    return sealed;
  }
  BrokerTraffic last_call() const override { return {.peer = "127.0.0.1:40000"}; }
  std::string label() const override { return {}; }

 private:
  Outcome<void> begin(FakeBroker::Call call, int step, Deadline until) {
    if (step_++ != step) throw std::logic_error("calls out of order");
    if (broker_.hang == call) {
      posix::SteadyClock clock;
      ++broker_.hanging;
      while (!cancelled_ && clock.now() < until) clock.wait_until(clock.now() + 1ms);
      if (cancelled_) return Failure{Errc::proxy_stopping, "cancelled", {}};
      return Failure{Errc::broker_timeout, "hang", {}};
    }
    if (auto failure = broker_.fault(call)) return *failure;
    return {};
  }

  FakeBroker& broker_;
  const std::atomic<bool>& cancelled_;
  int step_ = 0;
};

std::unique_ptr<BrokerSession> FakeBroker::open(const std::atomic<bool>& cancelled) {
  ++sessions;
  return std::make_unique<FakeSession>(*this, cancelled);
}

GuestEnd::GuestEnd(posix::Fd fd)
    : clock_(std::make_unique<posix::SteadyClock>()),
      wire_(std::make_unique<posix::FdTransport>(std::move(fd), *clock_)) {}

GuestEnd GuestEnd::connect(const std::string& path) {
  posix::SteadyClock clock;
  auto fd = posix::connect_unix(path, clock, clock.now() + kGenerous);
  if (!fd) throw std::runtime_error("cannot connect to " + path);
  return GuestEnd(*std::move(fd));
}

bool GuestEnd::send(const std::string& body) {
  return protocol::send_frame(*wire_, bytes_of(body), clock_->now() + kGenerous).has_value();
}

bool GuestEnd::send_raw(const std::string& octets) {
  return wire_->write_all(bytes_of(octets), clock_->now() + kGenerous).has_value();
}

std::string GuestEnd::receive() {
  std::vector<std::uint8_t> memory(protocol::kMaxFrameBytes);
  const auto body = protocol::receive_frame(*wire_, memory, clock_->now() + kGenerous);
  if (!body) return std::string("(") + error_name(body.error().code) + ")";
  return std::string(text_of(*body));
}

bool GuestEnd::negotiate(const VectorCase& recorded) {
  return send(recorded.negotiation_request) && receive() == recorded.negotiation_response;
}

bool GuestEnd::conclude(const VectorCase& recorded) {
  return send(recorded.attestation_request) && receive() == recorded.attestation_response;
}

bool GuestEnd::attest(const VectorCase& recorded) {
  return negotiate(recorded) && conclude(recorded);
}

std::string code_in(const std::string& body, protocol::Phase phase) {
  const std::string name = phase == protocol::Phase::negotiation ? "negotiation" : "attestation";
  const std::string before = phase == protocol::Phase::negotiation
                                 ? R"({"ext":{"error":{"code":")"
                                 : R"({"success":false,"decryption":null,"token":null,"ext":{"error":{"code":")";
  if (!body.starts_with(before)) return {};
  const std::size_t end = body.find('"', before.size());
  const std::string after = R"(","phase":")" + name + R"(","detail":")";
  if (end == std::string::npos || body.compare(end, after.size(), after) != 0 || !body.ends_with("\"}}}")) return {};
  return body.substr(before.size(), end - before.size());
}

SocketPair socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  return {posix::Fd(ends[0]), posix::Fd(ends[1])};
}

}  // namespace attestbed::proxy
