// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/base/base64.h"
#include "proxy/line_attempt.h"
#include "proxy/log_capture.h"

namespace attestbed::proxy {
namespace {

using protocol::Phase;
using Call = FakeBroker::Call;

const VectorCase& plain() {
  return vector_case("plain");
}

// The recorded frame 3 with other REPORT_DATA in its report.
std::string with_report_data(const std::string& report_data) {
  auto frame = nlohmann::ordered_json::parse(plain().attestation_request);
  auto& report = frame["evidence"]["Snp"]["report"];
  std::string text = report.get<std::string>();
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const auto decoded = base64_decode(Base64::standard, bytes_of(text), octets, "report");
  if (!decoded || decoded->size() != snp::kReportBytes) throw std::runtime_error("the vector holds no report");
  std::ranges::copy(report_data, octets.begin() + offsetof(snp::RawReport, report_data));
  text.assign(text.size(), ' ');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::standard, *decoded, out);
  report = text;
  return frame.dump();
}

std::optional<Failure> refused_at_attest(Call call) {
  if (call != Call::attest) return std::nullopt;
  return Failure{Errc::attestation_refused, "/attest: the broker answered 401 AttestationError", {}};
}

struct Bound {
  const char* name;
  std::string report_data;
  const char* fits;      // null: it is as it should be
  std::string explains;  // the end of what the guest is told
};
std::ostream& operator<<(std::ostream& out, const Bound& bound) {
  return out << bound.name;
}
class ReportData : public testing::TestWithParam<Bound> {};
INSTANTIATE_TEST_SUITE_P(Session, ReportData,
                         testing::Values(Bound{"as stated", plain().report_data, nullptr,
                                               "AttestationError; bound by svsm-sha512, which a Trustee KBS refuses: "
                                               "there use --binding kbs-sha384"},
                                         Bound{"by Trustee's binding", plain().trustee_report_data, "kbs-sha384",
                                               "AttestationError; mismatch: report_data (fits kbs-sha384)"},
                                         Bound{"by none", std::string(64, 'x'), "no binding",
                                               "AttestationError; mismatch: report_data (fits no binding)"}));

// The broker decides, and says no more than 401: what the proxy finds is what explains it.
TEST_P(ReportData, IsComparedWithBothBindingsAndPostedAllTheSame) {
  LogCapture log;
  FakeBroker broker(plain());
  broker.fault = refused_at_attest;
  LineAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.negotiate(plain()));
  ASSERT_TRUE(attempt.guest.send(with_report_data(GetParam().report_data)));
  const std::string answer = attempt.guest.receive();
  EXPECT_EQ(code_in(answer, Phase::attestation), "attestation_refused");
  EXPECT_EQ(broker.attests, 1);
  EXPECT_NE(answer.find(GetParam().explains + "\""), std::string::npos) << answer;
  EXPECT_EQ(attempt.state(), LineState::in_step) << "the attempt is over, and with it its log";
  EXPECT_TRUE(log.has(GetParam().explains + "\"")) << log.text();
  if (GetParam().fits == nullptr) {
    EXPECT_FALSE(log.has("mismatch")) << log.text();
    return;
  }
  const std::string fits = GetParam().fits;
  EXPECT_TRUE(log.has(R"("what":"report_data","fits":")" + fits + "\"")) << log.text();
}

// ---- Guests of the other binding.

class StatedKey : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Session, StatedKey, testing::Values("P-521", "P-256", "RSA-3072"), [](const auto& one) {
  std::string name = one.param;
  std::erase(name, '-');
  return name;
});

TEST_P(StatedKey, IsServedUnderTrusteesBinding) {
  FakeBroker broker(plain());
  LineAttempt attempt(broker);
  const std::string terms =
      R"({"binding":"kbs-sha384","key":")" + std::string(GetParam()) + R"(","resource":"default/sample/test"})";
  ASSERT_TRUE(attempt.guest.send(R"({"version":[0,1,0],"tee":"snp","ext":)" + terms + "}"));
  const std::string answer = attempt.guest.receive();
  EXPECT_TRUE(answer.ends_with(R"("ext":{"accepted":)" + terms + "}}")) << answer;
  // A key of another type than was stated: the frame is refused before the broker hears of it.
  auto frame = nlohmann::ordered_json::parse(plain().attestation_request);
  frame["key"] = {{"x", "AAAA"}, {"n", "AAAA"}};
  ASSERT_TRUE(attempt.guest.send(frame.dump()));
  EXPECT_EQ(code_in(attempt.guest.receive(), Phase::attestation), "malformed_request");
  EXPECT_EQ(broker.attests, 0);
}

// The recorded guest's key and challenge, and what Trustee's rule makes of them: nothing to name.
TEST(SessionBinding, ReportBoundByTrusteesRuleIsNoMismatchWhereItWasStated) {
  LogCapture log;
  FakeBroker broker(plain());
  LineAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(
      R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"kbs-sha384","key":"P-521","resource":"default/sample/test"}})"));
  ASSERT_NE(attempt.guest.receive().find("accepted"), std::string::npos);
  ASSERT_TRUE(attempt.guest.send(with_report_data(plain().trustee_report_data)));
  EXPECT_EQ(attempt.guest.receive(), plain().attestation_response);
  EXPECT_FALSE(log.has("mismatch")) << log.text();
  EXPECT_FALSE(log.has("bound by")) << log.text();
}

TEST(SessionBinding, RefusalOfWhatTrusteeTakesNamesTheBrokersOfTheOtherBinding) {
  FakeBroker broker(plain());
  broker.fault = refused_at_attest;
  LineAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.send(
      R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"kbs-sha384","key":"P-521","resource":"default/sample/test"}})"));
  ASSERT_NE(attempt.guest.receive().find("accepted"), std::string::npos);
  ASSERT_TRUE(attempt.guest.send(with_report_data(plain().trustee_report_data)));
  const std::string answer = attempt.guest.receive();
  EXPECT_NE(answer.find("401 AttestationError; bound by kbs-sha384, which kbs-test does not read: there use --binding "
                        "svsm-sha512\""),
            std::string::npos)
      << answer;
}

// A refusal that is no verdict on evidence is not explained with the evidence.
TEST(SessionBinding, OtherFailuresOfTheBrokerSayNothingOfBindings) {
  FakeBroker broker(plain());
  broker.fault = [](Call call) -> std::optional<Failure> {
    if (call == Call::attest) return Failure{Errc::broker_unavailable, "/attest: the broker answered 503", {}};
    return std::nullopt;
  };
  LineAttempt attempt(broker);
  ASSERT_TRUE(attempt.guest.negotiate(plain()));
  ASSERT_TRUE(attempt.guest.send(plain().attestation_request));
  const std::string answer = attempt.guest.receive();
  EXPECT_NE(answer.find("the broker answered 503\""), std::string::npos) << answer;
}

}  // namespace
}  // namespace attestbed::proxy
