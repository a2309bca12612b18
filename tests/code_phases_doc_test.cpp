// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <thread>

#include "proxy/running_server.h"
#include "proxy/session.h"
#include "tests/protocol_document.h"

// In which phase a code is sent, by section 10.3 of docs/protocol.md, and in which the proxy is seen to send it. Which
// code comes of which call to the broker, and so may be seen in its phase, is in annex A, whose tables have tests too.
namespace attestbed::tests {
namespace {

using namespace std::chrono_literals;
using namespace proxy;
using BrokerCall = FakeBroker::Call;
using Seen = std::map<std::string, std::set<std::string>>;

const VectorCase& plain() {
  return vector_case("plain");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

void note(Seen& seen, const std::string& body) {
  const nlohmann::json error =
      nlohmann::json::parse(body, nullptr, false).value("/ext/error"_json_pointer, nlohmann::json::object());
  ASSERT_TRUE(error.contains("code")) << body;
  seen[error["code"]].insert(error["phase"]);
}

/// Attempt is one guest's line, with the proxy's part on a thread that ends with it.
class Attempt {
 public:
  explicit Attempt(FakeBroker& broker, std::chrono::milliseconds budget = 60s)
      : ends_(socket_pair()), guest(std::move(ends_.guest_end)), thread_([this, &broker, budget] {
          posix::SteadyClock clock;
          posix::FdTransport wire(std::move(ends_.proxy_end), clock);
          SessionLog log(1, "test");
          SessionConfig config;
          config.allowed = {protocol::ResourcePath()};
          config.budget = budget;
          serve_attempt(wire, *broker.open(cancelled), config, clock, cancelled, log);
        }) {}
  ~Attempt() {
    guest.hang_up();
    thread_.join();
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void negotiate() {
    ASSERT_TRUE(guest.send(plain().negotiation_request));
    ASSERT_EQ(guest.receive(), plain().negotiation_response);
  }

 private:
  SocketPair ends_;

 public:
  std::atomic<bool> cancelled = false;
  GuestEnd guest;

 private:
  std::thread thread_;
};

void refuse_first_frames(Seen& seen) {
  const std::string ext = R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512",)";
  for (const std::string& body :
       {std::string("{}"), std::string(R"({"version":[0,2,0],"tee":"snp"})"),
        std::string(R"({"version":[0,1,0],"tee":"tdx"})"), ext + R"("key":"P-256","resource":"default/sample/test"}})",
        ext + R"("key":"P-521","resource":"not/allowed/here"}})"}) {
    FakeBroker broker(plain());
    Attempt attempt(broker);
    ASSERT_TRUE(attempt.guest.send(body));
    note(seen, attempt.guest.receive());
  }
}

void refuse_third_frames(Seen& seen) {
  for (const std::string& body :
       {std::string("{}"), replaced(plain().attestation_request, R"("tee":"snp")", R"("tee":"tdx")")}) {
    FakeBroker broker(plain());
    Attempt attempt(broker);
    attempt.negotiate();
    ASSERT_TRUE(attempt.guest.send(body));
    note(seen, attempt.guest.receive());
  }
}

void be_late(Seen& seen) {
  for (const bool third : {false, true}) {
    FakeBroker broker(plain());
    Attempt attempt(broker, third ? 500ms : 50ms);
    if (third) attempt.negotiate();
    ASSERT_TRUE(attempt.guest.send_raw(std::string(4, 'x')));
    note(seen, attempt.guest.receive());
  }
}

/// calls_fail lets each call to the broker fail as `fault` does, and returns in which phase the guest was told.
std::map<BrokerCall, std::string> calls_fail(Seen& seen, const std::function<std::optional<Failure>()>& fault) {
  std::map<BrokerCall, std::string> phases;
  for (const BrokerCall call : {BrokerCall::auth, BrokerCall::attest, BrokerCall::resource}) {
    FakeBroker broker(plain());
    broker.fault = [&](BrokerCall made) { return made == call ? fault() : std::nullopt; };
    Attempt attempt(broker);
    if (call != BrokerCall::auth) attempt.negotiate();
    EXPECT_TRUE(
        attempt.guest.send(call == BrokerCall::auth ? plain().negotiation_request : plain().attestation_request));
    const std::string body = attempt.guest.receive();
    note(seen, body);
    phases[call] = nlohmann::json::parse(body)["ext"]["error"]["phase"];
  }
  return phases;
}

// The codes that annex A lists for each call, seen in the phase in which the failure of that call is told.
void fail_as_annex_a_says(Seen& seen) {
  Seen any;
  auto phases = calls_fail(any, [] { return Failure{Errc::broker_malformed, "", {}}; });
  const std::map<std::string, BrokerCall> calls = {{"auth", BrokerCall::auth},
                                                   {"attest", BrokerCall::attest},
                                                   {"resource", BrokerCall::resource},
                                                   {"challenge.nonce", BrokerCall::auth},
                                                   {"token.token", BrokerCall::attest}};
  for (const auto& row : protocol_document().table("call").rows) {
    for (const std::string& code : code_spans(row[2])) {
      for (const char* name : {"auth", "attest", "resource"}) {
        if (row[0] == "any" || row[0] == name) seen[code].insert(phases[calls.at(name)]);
      }
    }
  }
  for (const auto& row : protocol_document().table("broker body").rows) {
    const auto call = calls.find(code_span(row[0]));
    for (const std::string& code : code_spans(row.back())) {
      seen[code].insert(phases[call == calls.end() ? BrokerCall::resource : call->second]);
    }
  }
}

void stop(Seen& seen) {
  for (const BrokerCall call : {BrokerCall::auth, BrokerCall::attest}) {
    FakeBroker broker(plain());
    broker.hang = call;
    Attempt attempt(broker);
    if (call == BrokerCall::attest) attempt.negotiate();
    ASSERT_TRUE(
        attempt.guest.send(call == BrokerCall::auth ? plain().negotiation_request : plain().attestation_request));
    while (broker.hanging == 0) std::this_thread::yield();
    attempt.cancelled = true;
    note(seen, attempt.guest.receive());
  }
}

void be_one_too_many(Seen& seen) {
  FakeBroker broker(plain());
  broker.hang = BrokerCall::auth;
  ServerConfig config = Running::defaults();
  config.max_sessions = 1;
  config.queue_wait = 1ms;
  Running server(broker, config);
  GuestEnd first = server.guest(), second = server.guest();
  ASSERT_TRUE(first.send(plain().negotiation_request));
  while (broker.hanging == 0) std::this_thread::yield();
  ASSERT_TRUE(second.send(plain().negotiation_request));
  note(seen, second.receive());
}

void begin_too_often(Seen& seen) {
  FakeBroker broker(plain());
  ServerConfig config = Running::defaults();
  config.attempts.at_once = 1;
  Running server(broker, config);
  GuestEnd guest = server.guest();
  ASSERT_TRUE(guest.send("{}"));
  EXPECT_EQ(code_in(guest.receive(), protocol::Phase::negotiation), "malformed_request");
  ASSERT_TRUE(guest.send("{}"));
  note(seen, guest.receive());
}

TEST(ProtocolDoc, CodesAreSentInThePhaseThatItSays) {
  Seen seen;
  refuse_first_frames(seen);
  refuse_third_frames(seen);
  be_late(seen);
  fail_as_annex_a_says(seen);
  calls_fail(seen, []() -> std::optional<Failure> { throw std::runtime_error("a defect"); });
  stop(seen);
  be_one_too_many(seen);
  begin_too_often(seen);

  const std::map<std::string, std::set<std::string>> meaning = {
      {"any", {"negotiation", "attestation"}}, {"negotiation", {"negotiation"}}, {"attestation", {"attestation"}}};
  for (const auto& row : protocol_document().table("code").rows) {
    const std::string code = code_span(row[0]);
    const bool unused = row[2].starts_with("never") || row[2].starts_with("reserved");
    ASSERT_TRUE(meaning.contains(row[1])) << code;
    EXPECT_EQ(seen[code], unused ? std::set<std::string>{} : meaning.at(row[1])) << code;
    seen.erase(code);
  }
  EXPECT_TRUE(seen.empty()) << "section 10.3 lacks " << seen.begin()->first;
}

}  // namespace
}  // namespace attestbed::tests
