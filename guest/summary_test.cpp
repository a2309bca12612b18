// SPDX-License-Identifier: Apache-2.0
#include "guest/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace attestbed::guest {
namespace {

using std::chrono::microseconds;

Instant at(int us) {
  return Instant(microseconds(us));
}

nlohmann::json json_of(const Summary& summary) {
  ByteArray<kMaxSummaryBytes> into;
  const Result<Bytes> written = write_summary_json(summary, into);
  EXPECT_TRUE(written);
  return nlohmann::json::parse(text_of(*written));
}

Summary released() {
  Summary summary;
  summary.simulated_firmware = true;
  summary.firmware = "unix:/run/firmware.sock";
  summary.started = at(1'000);
  summary.connected = at(2'500);
  summary.trace.reached = AttestStep::opened;
  summary.trace.at = {at(2'500), at(3'000), at(4'000), at(6'000), at(9'007), at(10'000)};
  summary.frame_octets = {39, 106, 1891, 925};
  summary.frames = 4;
  summary.trace.challenge = *protocol::Challenge::make(ByteArray<32>{1, 2, 3});
  summary.trace.report_data = snp::ReportData{0xab};
  summary.secret = SecretFacts{.octets = 3};
  return summary;
}

Summary failed(Errc code) {
  Summary summary;
  summary.error = Error{code, "decryption.iv", 11, 12};
  return summary;
}

TEST(SummaryJson, OfAReleaseHasNoErrorMembers) {
  const nlohmann::json json = json_of(released());
  EXPECT_EQ(json["outcome"], "released");
  EXPECT_EQ(json["exit"], 0);
  EXPECT_FALSE(json.contains("code"));
  EXPECT_EQ(json["authenticated"], false);
  EXPECT_EQ(json["simulated_firmware"], true);
  EXPECT_EQ(json["firmware"], "unix:/run/firmware.sock");
  EXPECT_EQ(json["secret"]["octets"], 3);
  EXPECT_EQ(json["secret"].size(), 2U) << "a digest would tell a secret that can be guessed";
  EXPECT_EQ(json["secret"]["kept_in"], nullptr);
  const nlohmann::json third = {{"message", "AttestationRequest"}, {"from", "guest"}, {"octets", 1891}};
  ASSERT_EQ(json["frames"].size(), 4U);
  EXPECT_EQ(json["frames"][2], third);
  EXPECT_EQ(json["terms"],
            nlohmann::json({{"binding", "svsm-sha512"}, {"key", "P-521"}, {"resource", "default/sample/test"}}));
  EXPECT_EQ(json["report_data"], "ab" + std::string(126, '0'));
}

TEST(SummaryJson, AReportOfTheKernelsDeviceIsNotCalledSimulated) {
  Summary summary = released();
  summary.simulated_firmware = false;
  summary.trace.negotiation_requests = 3;
  EXPECT_EQ(json_of(summary)["simulated_firmware"], false);
  EXPECT_EQ(json_of(failed(Errc::firmware_unreachable))["firmware"], nullptr) << "nothing was open";
  EXPECT_EQ(json_of(summary)["negotiation_requests"], 3);
  EXPECT_EQ(summary_line(summary).find("simulated"), std::string::npos);
}

TEST(SummaryJson, PhasesAreThePartsOfTheWholeTime) {
  const nlohmann::json phases = json_of(released())["phases"];
  const nlohmann::json expected = {{{"name", "connected"}, {"ms", 1.5}},  {{"name", "key"}, {"ms", 0.5}},
                                   {{"name", "negotiated"}, {"ms", 1.0}}, {{"name", "reported"}, {"ms", 2.0}},
                                   {{"name", "answered"}, {"ms", 3.007}}, {{"name", "opened"}, {"ms", 0.993}}};
  EXPECT_EQ(phases, expected);
}

TEST(SummaryJson, OfAFailureNamesCodeFieldExpectedAndFound) {
  const nlohmann::json json = json_of(failed(Errc::bad_length));
  EXPECT_EQ(json["outcome"], "failed");
  EXPECT_EQ(json["exit"], 5);
  EXPECT_EQ(json["code"], "bad_length");
  EXPECT_EQ(json["field"], "decryption.iv");
  EXPECT_EQ(json["expected"], 12);
  EXPECT_EQ(json["found"], 11);
  EXPECT_EQ(json["detail"], nullptr);
  EXPECT_EQ(json["attestation"], nullptr);
  EXPECT_EQ(json["secret"], nullptr);
  EXPECT_EQ(json["phases"], nlohmann::json::array());
}

TEST(SummaryJson, PhasesOfAFailureEndWhereItCame) {
  Summary summary = released();
  summary.error = Error{Errc::firmware_busy, "SW_EXITINFO2"};
  summary.secret.reset();
  summary.trace.reached = AttestStep::negotiated;
  const nlohmann::json json = json_of(summary);
  ASSERT_EQ(json["phases"].size(), 3U);
  EXPECT_EQ(json["phases"][2]["name"], "negotiated");
  EXPECT_EQ(json["exit"], 4);
}

TEST(SummaryJson, TheHostsWordsAreEscapedAndItsControlCharactersAreGone) {
  Summary summary = failed(Errc::attestation_refused);
  summary.trace.host_error.emplace();
  summary.trace.host_error->set_detail("say \"no\"\\\n\x1b[31m");
  const nlohmann::json json = json_of(summary);
  EXPECT_EQ(json["detail"], "say \"no\"\\??[31m");
  EXPECT_EQ(json["outcome"], "refused");
  EXPECT_EQ(json["exit"], 1);
}

TEST(SummaryJson, TheLongestResultFits) {
  Summary summary = released();
  summary.error = Error{Errc::host_chosen_params, "NegotiationResponse.challenge", ~0ULL, ~0ULL};
  summary.trace.host_error.emplace();
  summary.trace.host_error->set_detail(std::string(protocol::kMaxErrorDetailBytes, '"'));
  const std::string part(60, 'x');
  summary.terms.resource = *protocol::ResourcePath::parse(part + "/" + part + "/" + part, "test");
  summary.kept_in = std::string(4095, '\x01');
  EXPECT_EQ(json_of(summary)["detail"], std::string(protocol::kMaxErrorDetailBytes, '"'));
}

struct ExitCase {
  Errc code;
  int exit;
  const char* outcome;
};

class SummaryExit : public testing::TestWithParam<ExitCase> {};

TEST_P(SummaryExit, FollowsTheErrorTable) {
  const Summary summary = failed(GetParam().code);
  EXPECT_EQ(summary.exit(), GetParam().exit);
  EXPECT_STREQ(summary.outcome(), GetParam().outcome);
}

// The classes are those of the program's contract: 1 refused, 2 usage, 3 transport, 4 firmware, 5 host.
INSTANTIATE_TEST_SUITE_P(
    Classes, SummaryExit,
    testing::Values(ExitCase{Errc::attestation_refused, 1, "refused"}, ExitCase{Errc::resource_refused, 1, "refused"},
                    ExitCase{Errc::bad_config, 2, "failed"}, ExitCase{Errc::deadline, 3, "failed"},
                    ExitCase{Errc::broker_unreachable, 3, "failed"}, ExitCase{Errc::firmware_unreachable, 4, "failed"},
                    ExitCase{Errc::vmpck_lost, 4, "failed"}, ExitCase{Errc::host_chosen_params, 5, "failed"},
                    ExitCase{Errc::tag_failed, 5, "failed"}));

TEST(SummaryLine, OfAReleaseSaysWhatItIsWorth) {
  const std::string line = summary_line(released());
  EXPECT_NE(line.find("released (attestation "), std::string::npos) << line;
  EXPECT_NE(line.find(": 3 octets, dropped"), std::string::npos) << line;
  EXPECT_NE(line.find("dropped (no --out, no --stdout)"), std::string::npos) << line;
  EXPECT_NE(line.find("not authenticated (--secret-auth none)"), std::string::npos) << line;
  EXPECT_NE(line.find("simulated firmware"), std::string::npos) << line;
  EXPECT_NE(line.find("9.000 ms"), std::string::npos) << line;
}

TEST(SummaryLine, OfARefusalIsOneLineWithCodeAndTheHostsWords) {
  Summary summary = failed(Errc::attestation_refused);
  summary.trace.host_error.emplace();
  summary.trace.host_error->set_detail("broker answered 401\nreally");
  const std::string line = summary_line(summary);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_NE(line.find("refused: attestation_refused"), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with("the host says: broker answered 401?really")) << line;
}

}  // namespace
}  // namespace attestbed::guest
