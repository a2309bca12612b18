// SPDX-License-Identifier: Apache-2.0
#include "proxy/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "core/protocol/frame.h"
#include "proxy/line_attempt.h"
#include "proxy/log_capture.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;
using protocol::Phase;
using Call = FakeBroker::Call;

using Attempt = LineAttempt;

const VectorCase& plain() {
  return vector_case("plain");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the text does not hold " + from);
  return text.replace(at, from.size(), to);
}

class RecordedSession : public testing::TestWithParam<VectorCase> {};
INSTANTIATE_TEST_SUITE_P(Session, RecordedSession, testing::ValuesIn(vector_cases()), [](const auto& one) {
  std::string name = one.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

// A guest that was given another order of `params` is bound otherwise; only a stock proxy could have told it so.
std::string our_negotiation_response(const VectorCase& recorded) {
  if (recorded.is_bound()) return recorded.negotiation_response;
  return replaced(recorded.negotiation_response, R"(["Challenge","EcPublicKeyBytes"])",
                  R"(["EcPublicKeyBytes","Challenge"])");
}

TEST_P(RecordedSession, FramesAreTheRecordedOnes) {
  LogCapture log;
  FakeBroker broker(GetParam());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(GetParam().negotiation_request));
  EXPECT_EQ(attempt.guest.receive(), our_negotiation_response(GetParam()));
  ASSERT_TRUE(attempt.guest.send(GetParam().attestation_request));
  EXPECT_EQ(attempt.guest.receive(), GetParam().attestation_response);
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(log.has(R"("event":"mismatch")"), !GetParam().is_bound()) << log.text();
}

// ---- Phase 1: what is judged before the broker hears of the guest.

struct RefusedRequest {
  const char* name;
  std::string body;
  const char* code;
};
std::ostream& operator<<(std::ostream& out, const RefusedRequest& request) {
  return out << request.name;
}

std::string with_ext(const std::string& binding, const std::string& key, const std::string& resource) {
  return R"({"version":[0,1,0],"tee":"snp","ext":{"binding":")" + binding + R"(","key":")" + key + R"(","resource":")" +
         resource + R"("}})";
}

class BadNegotiation : public testing::TestWithParam<RefusedRequest> {};
INSTANTIATE_TEST_SUITE_P(
    Session, BadNegotiation,
    testing::Values(
        RefusedRequest{"minor 2", R"({"version":[0,2,0],"tee":"snp"})", "version_unsupported"},
        RefusedRequest{"patch 1", R"({"version":[0,1,1],"tee":"snp"})", "version_unsupported"},
        RefusedRequest{"major 1", R"({"version":[1,1,0],"tee":"snp"})", "version_unsupported"},
        RefusedRequest{"another version without tee", R"({"version":[1,0,0],"hardware":"x"})", "version_unsupported"},
        RefusedRequest{"a tee of another version", R"({"tee":"sev-x","version":[0,2,0]})", "version_unsupported"},
        RefusedRequest{"an ext of another version", R"({"ext":[1],"version":[1,0,0],"tee":"snp"})",
                       "version_unsupported"},
        RefusedRequest{"another version twice", R"({"version":[1,0,0],"version":[1,0,0]})", "malformed_request"},
        RefusedRequest{"another version and no end", R"({"version":[1,0,0],"tee":7)", "malformed_request"},
        RefusedRequest{"this version without tee", R"({"version":[0,1,0]})", "malformed_request"},
        RefusedRequest{"version as text", R"({"version":"0.1.0","tee":"snp"})", "malformed_request"},
        RefusedRequest{"version of two", R"({"version":[0,1],"tee":"snp"})", "malformed_request"},
        RefusedRequest{"tdx", R"({"version":[0,1,0],"tee":"tdx"})", "tee_unsupported"},
        RefusedRequest{"upper case", R"({"version":[0,1,0],"tee":"SNP"})", "malformed_request"},
        RefusedRequest{"twice", R"({"version":[0,1,0],"tee":"snp","tee":"snp"})", "malformed_request"},
        RefusedRequest{"trailing octet", R"({"version":[0,1,0],"tee":"snp"}x)", "malformed_request"},
        RefusedRequest{"no JSON", "hello", "malformed_request"},
        RefusedRequest{"deep", std::string(3000, '['), "malformed_request"},
        RefusedRequest{"RSA, no pair", with_ext("svsm-sha512", "RSA-3072", "default/sample/test"), "terms_refused"},
        RefusedRequest{"P-256, no pair", with_ext("svsm-sha512", "P-256", "default/sample/test"), "terms_refused"},
        RefusedRequest{"unlisted resource", with_ext("svsm-sha512", "P-521", "default/sample/other"),
                       "resource_refused"},
        RefusedRequest{"traversal", with_ext("svsm-sha512", "P-521", "default/../test"), "malformed_request"}));

TEST_P(BadNegotiation, IsToldAndNeverReachesTheBroker) {
  FakeBroker broker(plain());
  broker.fault = [](Call) { return Failure{Errc::proxy_internal, "the broker was asked", {}}; };
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(GetParam().body));
  const std::string answer = attempt.guest.receive();
  EXPECT_EQ(code_in(answer, Phase::negotiation), GetParam().code) << answer;
  EXPECT_EQ(attempt.state(), LineState::in_step) << "the frame was whole: another attempt may follow";
}

TEST(Session, StatedTermsAreEchoedInFull) {
  FakeBroker broker(plain());
  SessionConfig config = Attempt::generous();
  config.allowed = {path("a/b/c"), path("default/disk/key")};
  Attempt attempt(broker, config);
  ASSERT_TRUE(attempt.guest.send(with_ext("svsm-sha512", "P-521", "default/disk/key")));
  EXPECT_EQ(attempt.guest.receive(),
            replaced(plain().negotiation_response, "]}",
                     R"(],"ext":{"accepted":{"binding":"svsm-sha512","key":"P-521","resource":"default/disk/key"}}})"));
}

TEST(Session, UnknownMembersAreIgnored) {
  FakeBroker broker(plain());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(R"({"version":[0,1,0],"tee":"snp","x":{"y":[1,null]}})"));
  EXPECT_EQ(attempt.guest.receive(), plain().negotiation_response);
}

// ---- Phase 2.

class BadAttestation : public testing::TestWithParam<RefusedRequest> {};
INSTANTIATE_TEST_SUITE_P(
    Session, BadAttestation,
    testing::Values(
        RefusedRequest{"certs null", replaced(plain().attestation_request, R"("}},"c)", R"(","certs_buf":null}},"c)"),
                       "malformed_request"},
        RefusedRequest{"another TEE", replaced(plain().attestation_request, R"("tee":"snp")", R"("tee":"tdx")"),
                       "tee_unsupported"},
        RefusedRequest{"another evidence", replaced(plain().attestation_request, "Snp", "Tdx"), "malformed_request"},
        RefusedRequest{"report three octets short",
                       replaced(plain().attestation_request, R"("report":"AwAA)", R"("report":")"),
                       "malformed_request"},
        RefusedRequest{"coordinate of 69 octets", replaced(plain().attestation_request, R"("x":")", R"("x":"AAAA)"),
                       "malformed_request"},
        RefusedRequest{"no key", replaced(plain().attestation_request, R"("key")", R"("yek")"), "malformed_request"},
        RefusedRequest{"a negotiation again", plain().negotiation_request, "malformed_request"}));

TEST_P(BadAttestation, IsToldAndNeverAttested) {
  FakeBroker broker(plain());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(GetParam().body));
  const std::string answer = attempt.guest.receive();
  EXPECT_EQ(code_in(answer, Phase::attestation), GetParam().code) << answer;
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(broker.attests, 0);
}

TEST(Session, WrongEchoIsNamedAndTheBrokerDecides) {
  LogCapture log;
  FakeBroker broker(plain());
  broker.fault = [](Call call) -> std::optional<Failure> {
    if (call == Call::attest) return Failure{Errc::attestation_refused, "the broker answered 401", {}};
    return std::nullopt;
  };
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(replaced(plain().attestation_request, "TageHNDe", "TageHNDf")));
  const std::string answer = attempt.guest.receive();
  EXPECT_EQ(code_in(answer, Phase::attestation), "attestation_refused");
  EXPECT_NE(answer.find("mismatch: challenge"), std::string::npos) << answer;
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(broker.attests, 1);
  EXPECT_TRUE(log.has(R"("event":"mismatch")")) << log.text();
  EXPECT_FALSE(log.has("report_data")) << "the report binds the challenge that was issued, only the echo is wrong";
}

TEST(Session, ReportOverAnotherKeyIsNamedAndTheBrokerDecides) {
  LogCapture log;
  FakeBroker broker(plain());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(replaced(plain().attestation_request, R"("x":"AX66)", R"("x":"AX67)")));
  EXPECT_EQ(attempt.guest.receive(), plain().attestation_response);
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_TRUE(log.has(R"("what":"report_data")")) << log.text();
}

TEST(Session, LargestSecretFitsAndATokenThatDoesNotBecomesNull) {
  FakeBroker broker(plain());
  broker.ciphertext_octets = protocol::kMaxCiphertextBytes;
  broker.token = std::string(30 * 1024, 't');
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
  const std::string answer = attempt.guest.receive();
  EXPECT_TRUE(answer.starts_with(R"({"success":true,"secret":"WlpaWlpa)"));
  EXPECT_TRUE(answer.ends_with(R"("token":null})"));
}

// ---- What the broker's failures become.

struct BrokerFault {
  Call call;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const BrokerFault& fault) {
  return out << "call " << static_cast<int>(fault.call) << ", " << error_name(fault.code);
}

class FailingBroker : public testing::TestWithParam<BrokerFault> {};
INSTANTIATE_TEST_SUITE_P(
    Session, FailingBroker,
    testing::Values(BrokerFault{Call::auth, Errc::broker_unreachable}, BrokerFault{Call::auth, Errc::broker_version},
                    BrokerFault{Call::auth, Errc::broker_nonce}, BrokerFault{Call::attest, Errc::attestation_refused},
                    BrokerFault{Call::attest, Errc::broker_timeout}, BrokerFault{Call::resource, Errc::secret_refused},
                    BrokerFault{Call::resource, Errc::secret_too_large},
                    BrokerFault{Call::resource, Errc::session_expired},
                    BrokerFault{Call::resource, Errc::broker_malformed}));

TEST_P(FailingBroker, IsToldInOneFrameOfTheRightPhase) {
  LogCapture log;
  FakeBroker broker(plain());
  broker.fault = [](Call call) -> std::optional<Failure> {
    if (call != GetParam().call) return std::nullopt;
    return Failure{GetParam().code, "for the guest \x01", "for the log"};
  };
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  std::string answer = attempt.guest.receive();
  if (GetParam().call != Call::auth) {
    ASSERT_EQ(answer, plain().negotiation_response);
    ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
    answer = attempt.guest.receive();
  }
  const Phase phase = GetParam().call == Call::auth ? Phase::negotiation : Phase::attestation;
  EXPECT_EQ(code_in(answer, phase), error_name(GetParam().code)) << answer;
  EXPECT_NE(answer.find(R"("detail":"session 7: for the guest ?)"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("for the log"), std::string::npos);
  EXPECT_EQ(attempt.state(), LineState::in_step);
  EXPECT_EQ(attempt.guest.receive(), "(closed)") << "one frame, not two";
  EXPECT_TRUE(log.has(R"("received":"for the log")")) << log.text();
  EXPECT_TRUE(log.has(R"("broker_peer":"127.0.0.1:40000")")) << log.text();
}

TEST(Session, BrokerThatThrowsIsAnInternalErrorForThisGuest) {
  FakeBroker broker(plain());
  broker.fault = [](Call) -> std::optional<Failure> { throw std::bad_alloc(); };
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "proxy_internal");
}

// ---- Lines that fail.

struct BadFrame {
  const char* name;
  std::string octets;
};
std::ostream& operator<<(std::ostream& out, const BadFrame& frame) {
  return out << frame.name;
}
class BadPrefix : public testing::TestWithParam<BadFrame> {};
INSTANTIATE_TEST_SUITE_P(Session, BadPrefix,
                         testing::Values(BadFrame{"2^64-1", std::string(8, '\xff')},
                                         BadFrame{"2^63", std::string(7, '\0') + "\x80"},
                                         BadFrame{"65537", std::string("\x01\0\x01\0\0\0\0\0", 8)},
                                         BadFrame{"zero", std::string(8, '\0')}));

TEST_P(BadPrefix, IsToldAtOnceAndTheLineIsOutOfStep) {
  FakeBroker broker(plain());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send_raw(GetParam().octets));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "malformed_request");
  EXPECT_EQ(attempt.state(), LineState::lost);
}

TEST(Session, HalfAFrameIsToldAfterTheDeadline) {
  for (const std::string& octets : {std::string(1, '\x1f'), std::string("\x1f\0\0\0\0\0\0\0{", 9)}) {
    FakeBroker broker(plain());
    Attempt attempt(broker, Attempt::hurried());
    ASSERT_TRUE(attempt.guest.send_raw(octets));
    EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "guest_timeout");
    EXPECT_EQ(attempt.state(), LineState::lost);
  }
}

TEST(Session, SilenceBetweenThePhasesIsToldInTheSecond) {
  FakeBroker broker(plain());
  Attempt attempt(broker, Attempt::hurried());
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::attestation), "guest_timeout");
  EXPECT_EQ(attempt.state(), LineState::lost);
}

TEST(Session, HangingBrokerIsToldAfterTheDeadline) {
  FakeBroker broker(plain());
  broker.hang = Call::auth;
  Attempt attempt(broker, Attempt::hurried());
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::negotiation), "broker_timeout");
  EXPECT_EQ(attempt.state(), LineState::in_step);
}

TEST(Session, GuestThatHangsUpEndsItsSessionAnywhere) {
  const std::string frame = plain().negotiation_request;
  for (const std::string& octets : {std::string(), std::string(3, '\0'), std::string("\x1f\0\0\0\0\0\0\0{\"", 10)}) {
    LogCapture log;
    FakeBroker broker(plain());
    Attempt attempt(broker);
    ASSERT_TRUE(attempt.guest.send_raw(octets));
    attempt.guest.hang_up();
    EXPECT_EQ(attempt.state(), LineState::lost);
    EXPECT_EQ(log.has(R"("event":"refused")"), !octets.empty()) << "no octet, no attempt: " << log.text();
  }
  FakeBroker broker(plain());
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(frame));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  attempt.guest.hang_up();
  EXPECT_EQ(attempt.state(), LineState::lost);
  EXPECT_EQ(broker.attests, 0);
}

// ---- The log.

TEST(Session, LogHasTheStableEventsAndNothingThatOpensAnything) {
  LogCapture log;
  FakeBroker broker(plain());
  broker.token = "eyJhbGciOiJFUzM4NCJ9.e30.c2ln";
  Attempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(plain().negotiation_request));
  ASSERT_EQ(attempt.guest.receive(), plain().negotiation_response);
  ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
  ASSERT_TRUE(attempt.guest.receive().starts_with(R"({"success":true)"));
  ASSERT_EQ(attempt.state(), LineState::in_step);
  // printf '%s' 4da81e1cd0de097d50ef615b317542f0 | xxd -r -p | sha256sum
  const std::string id = R"("session":7,"peer":"test","attestation":"9d51e48e8a4e8165")";
  for (const char* event : {"negotiated", "attested", "released"}) {
    EXPECT_TRUE(log.has(R"("event":")" + std::string(event) + R"(",)" + id)) << log.text();
  }
  EXPECT_TRUE(log.has(R"("resource":"default/sample/test")"));
  EXPECT_TRUE(log.has(R"("secret_octets":32)"));
  EXPECT_TRUE(log.has(R"("guest_octets_received":1871)"));
  for (const char* secret : {"eyJhbGciOiJFUzM4NCJ9", "6HIm6ZJW", "RQMYEwFd", "dtnkVP4I", "TageHNDe"}) {
    EXPECT_FALSE(log.has(secret)) << log.text();
  }
}

}  // namespace
}  // namespace attestbed::proxy
