// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tools/attestbed/run_drawing.h"

namespace attestbed::tools {
namespace {

constexpr const char* kRefusedGuest =
    R"({"outcome":"refused","exit":1,"code":"attestation_refused","field":"ext.error, attestation","expected":0,)"
    R"("found":0,"meaning":"the broker refused the evidence","remedy":"read the broker's log","detail":"HTTP 401",)"
    R"("attestation":"0123456789abcdef","authenticated":false,"simulated_firmware":true,"secret":null,)"
    R"("phases":[{"name":"connected","ms":1.0},{"name":"key","ms":2.0},{"name":"negotiated","ms":3.0},)"
    R"({"name":"reported","ms":4.0}],"frames":[{"message":"NegotiationRequest","from":"guest","octets":39},)"
    R"({"message":"NegotiationResponse","from":"host","octets":110},)"
    R"({"message":"AttestationRequest","from":"guest","octets":1891},)"
    R"({"message":"AttestationResponse","from":"host","octets":200}],"report_data":null})";

// Lines as the programs write them, between lines of another attestation and one that was cut off by a kill.
constexpr const char* kProxyLog =
    R"({"time":"t","level":"info","program":"attest-proxy","event":"negotiated","attestation":"ffffffffffffffff","broker_octets_sent":1})"
    "\n"
    R"({"time":"t","level":"info","program":"attest-proxy","event":"negotiated","attestation":"0123456789abcdef","broker_session":"aaaaaaaaaaaaaaaa","broker_status":200,"broker_octets_sent":49,"broker_octets_received":74,"broker_ms":2.5})"
    "\n"
    R"({"time":"t","level":"warning","program":"attest-proxy","event":"refused","attestation":"0123456789abcdef","code":"attestation_refused","detail":"the broker answered 401"})"
    "\n{\"time\":\"t\",\"event\":\"refus";

constexpr const char* kBrokerLog =
    "mock-kbs: not JSON\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"POST auth","status":200,"verdict":"ok","session":"aaaaaaaaaaaaaaaa"})"
    "\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"POST attest","status":401,"verdict":"refused","code":"measurement_unknown","layer":"appraisal","field":"MEASUREMENT","expected":"one of 1","found":"abcd","session":"aaaaaaaaaaaaaaaa"})"
    "\n"
    R"({"event":"request","attestation":"ffffffffffffffff","endpoint":"POST attest","status":200,"verdict":"ok"})"
    "\n";

GuestRun refused_run() {
  return observe({.exit = {.by_signal = false, .number = 1}, .result = kRefusedGuest, .secret = {}, .report = {}},
                 Logs(kProxyLog, kBrokerLog));
}

RunResult result_of(GuestRun run) {
  RunResult result{};
  result.measurement = std::string(96, 'a');
  result.parts = {{"snp-sim", "ready unix:/tmp/x measurement aa", std::chrono::milliseconds(5)},
                  {"mock-kbs", "ready http://127.0.0.1:65535", std::chrono::milliseconds(12345)}};
  result.guests.push_back(std::move(run));
  return result;
}

// What a terminal shows of a line: in UTF-8 every character has one octet that is no continuation.
std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

TEST(Observe, JoinsTheSidesByAttestationAlone) {
  const GuestRun run = refused_run();
  EXPECT_FALSE(run.released());
  ASSERT_EQ(run.calls.size(), 2U);
  EXPECT_EQ(run.calls[0].request, "POST /kbs/v0/auth");
  EXPECT_EQ(run.calls[0].octets_sent, 49U);
  EXPECT_EQ(run.calls[0].octets_received, 74U);
  EXPECT_EQ(run.calls[0].ms, 2.5);
  EXPECT_TRUE(run.calls[0].judgement.is_null());
  EXPECT_EQ(run.calls[1].status, 401);
  EXPECT_FALSE(run.calls[1].octets_sent);
  EXPECT_EQ(run.calls[1].judgement["code"], "measurement_unknown");
  EXPECT_EQ(run.calls[1].judgement["layer"], "appraisal");
  EXPECT_EQ(run.proxy["detail"], "the broker answered 401");
  EXPECT_EQ(run.cookie, "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(run.token, "");
}

TEST(Observe, AGuestWithoutWordsFailed) {
  for (const char* words : {"", "{\"outcome\":", "[]", "{}", "\"released\""}) {
    const GuestRun run =
        observe({.exit = {.by_signal = true, .number = 11}, .result = words, .secret = {}, .report = {}}, {});
    EXPECT_EQ(run.result["outcome"], "failed") << words;
    EXPECT_NE(run.result["meaning"].get<std::string>().find("signal 11"), std::string::npos);
  }
}

TEST(Observe, AReportThatIsNoneIsCalledMalformed) {
  const GuestRun run =
      observe({.exit = {}, .result = kRefusedGuest, .secret = {}, .report = std::string(1183, '\0')}, {});
  EXPECT_TRUE(run.report.contains("malformed"));
}

TEST(RunText, OfARefusalTellsWhatEachSideSays) {
  const std::string text = run_text(result_of(refused_run()), ShowSecret::yes);
  for (const char* said : {"refused: attestation_refused: the broker refused the evidence (attest-guest exit 1)",
                           "proxy      attestation_refused: the broker answered 401",
                           "broker     measurement_unknown at MEASUREMENT", "expected one of 1", "found    abcd",
                           "401 refused", "SIMULATED HARDWARE", "next       read the broker's log"}) {
    EXPECT_NE(text.find(said), std::string::npos) << said << " in\n" << text;
  }
  EXPECT_EQ(text.find("GET resource"), std::string::npos) << "a call that was never made";
}

TEST(RunText, NamesTheStatusOfTheFirmware) {
  GuestRun run = refused_run();
  run.result = {{"outcome", "failed"}, {"exit", 4},  {"code", "firmware_status"}, {"field", "MSG_REPORT_RSP.STATUS"},
                {"expected", 0},       {"found", 22}};
  const std::string text = run_text(result_of(std::move(run)), ShowSecret::no);
  EXPECT_NE(text.find("guest      at MSG_REPORT_RSP.STATUS; found INVALID_PARAM (0x16)\n"), std::string::npos) << text;
}

TEST(RunText, FitsATerminal) {
  std::istringstream lines(run_text(result_of(refused_run()), ShowSecret::no));
  for (std::string line; std::getline(lines, line);) {
    const bool drawn = line.find("│") != std::string::npos;
    EXPECT_LE(columns(line), drawn ? 80U : 100U) << line;
  }
}

TEST(RunJson, ShowsTheSecretOnlyWhenAsked) {
  GuestRun run = refused_run();
  run.result = {{"outcome", "released"}, {"exit", 0}, {"secret", {{"octets", 3}, {"kept_in", "/tmp/x"}}}};
  run.secret = "abc";
  const RunResult result = result_of(std::move(run));
  const auto hidden = nlohmann::json::parse(run_json(result, ShowSecret::no));
  EXPECT_FALSE(hidden["guests"][0]["secret"].contains("shown"));
  EXPECT_FALSE(hidden["guests"][0]["secret"].contains("kept_in"));
  EXPECT_EQ(hidden["exit"], 0);
  const auto shown = nlohmann::json::parse(run_json(result, ShowSecret::yes));
  EXPECT_EQ(shown["guests"][0]["secret"]["shown"], "abc");
}

TEST(RunResultTest, NoGuestIsNoRelease) {
  EXPECT_FALSE(RunResult{}.all_released());
}

TEST(SequenceDrawing, ArrowsPointWhereTheMessageGoes) {
  SequenceDrawing drawing;
  drawing.arrow(Lane::guest, Lane::proxy, "ask", 1.5);
  drawing.arrow(Lane::proxy, Lane::guest, "answer");
  EXPECT_EQ(drawing.text(),
            "firmware     guest                          proxy                 broker\n"
            "   │           ├─ ask ───────────────────────▶│                      │    1.5 ms\n"
            "   │           │◀ answer ─────────────────────┤                      │\n");
}

TEST(SequenceDrawing, ALongLabelIsCutAndNothingMoves) {
  SequenceDrawing drawing;
  drawing.arrow(Lane::broker, Lane::proxy, std::string(60, 'x'));
  drawing.note(Lane::broker, std::string(60, 'x'));
  std::istringstream lines(drawing.text());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 72U) << line;
}

}  // namespace
}  // namespace attestbed::tools
