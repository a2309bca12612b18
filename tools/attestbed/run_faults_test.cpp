// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_faults.h"

#include <gtest/gtest.h>

#include "tools/attestbed/run_report.h"

namespace attestbed::tools {
namespace {

// Lines as mock-kbs writes them: of a connection that was ended before a word, of an answer that was broken, of one
// that had nothing to break, and of one that was left alone.
constexpr const char* kBrokerLog =
    R"({"event":"request","endpoint":"connection","status":0,"verdict":"ok","fault":"connection:1:close"})"
    "\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"POST auth","status":200,"verdict":"ok"})"
    "\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"POST attest","status":200,"verdict":"ok","fault_skipped":"attest:1:replay"})"
    "\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"GET resource","status":503,"verdict":"ok","fault":"resource:1+:503"})"
    "\n"
    R"({"event":"request","attestation":"0123456789abcdef","endpoint":"GET resource","status":503,"verdict":"ok","fault":"resource:1+:503"})"
    "\n"
    R"({"event":"turned_away","endpoint":"connection","fault":"connection:2:close"})"
    "\n";

std::vector<FaultFate> fates_of(std::vector<std::string> planned) {
  return fault_fates(planned, Logs("", kBrokerLog));
}

struct FateRow {
  const char* planned;
  std::uint64_t applied, skipped;
  const char* unmet;
};
class Fate : public testing::TestWithParam<FateRow> {};

TEST_P(Fate, IsWhatTheBrokersLogSays) {
  const std::vector<FaultFate> fates = fates_of({GetParam().planned});
  ASSERT_EQ(fates.size(), 1U);
  EXPECT_EQ(fates[0].applied, GetParam().applied);
  EXPECT_EQ(fates[0].skipped, GetParam().skipped);
  const std::vector<std::string> unmet = faults_unmet(fates);
  EXPECT_EQ(unmet.empty() ? "" : unmet[0], GetParam().unmet);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Fate,
    testing::Values(
        FateRow{"connection:1:close", 1, 0, ""},
        FateRow{"connection:2:close", 0, 0, "DID NOT HAPPEN: --fault connection:2:close: its turn never came"},
        FateRow{"resource:1+:503", 2, 0, ""},
        FateRow{"resource:5:truncate", 0, 0,
                "DID NOT HAPPEN: --fault resource:5:truncate: its turn never came in 2 requests to its endpoint"},
        FateRow{"any:5:empty", 0, 0,
                "DID NOT HAPPEN: --fault any:5:empty: its turn never came in 4 requests to its endpoint"},
        FateRow{"auth:2:500", 0, 0,
                "DID NOT HAPPEN: --fault auth:2:500: its turn never came in 1 request to its endpoint"},
        FateRow{"attest:1:replay", 0, 1,
                "DID NOT HAPPEN: --fault attest:1:replay: its turn came once, and the answer had nothing that "
                "it could break"}));

GuestRun released() {
  GuestRun run;
  run.result = {{"outcome", "released"}, {"exit", 0}, {"secret", {{"octets", 3}}}};
  return run;
}

TEST(RunExit, IsThreeIfAFaultNeverHappenedWhateverTheGuestsGot) {
  RunResult result{};
  result.guests.push_back(released());
  EXPECT_EQ(result.exit(), 0);
  result.faults = fates_of({"connection:1:close"});
  EXPECT_EQ(result.exit(), 0);
  result.faults = fates_of({"connection:1:close", "resource:5:truncate"});
  EXPECT_EQ(result.exit(), 3);
  result.guests.front().result["outcome"] = "failed";
  EXPECT_EQ(result.exit(), 3);
  result.faults = fates_of({"resource:1+:503"});
  EXPECT_EQ(result.exit(), 1);
}

TEST(RunFaults, AreShownToPeopleAndToScripts) {
  RunResult result{};
  result.guests.push_back(released());
  result.faults = fates_of({"resource:1+:503", "attest:1:replay"});
  const auto json = nlohmann::json::parse(run_json(result, ShowSecret::no));
  EXPECT_EQ(json["faults_applied"], nlohmann::json::parse(R"([{"fault":"resource:1+:503","applied":2,"skipped":0},)"
                                                          R"({"fault":"attest:1:replay","applied":0,"skipped":1}])"));
  const std::string text = run_text(result, ShowSecret::no);
  EXPECT_NE(text.find("fault        resource:1+:503 happened 2 times\n"), std::string::npos) << text;
  EXPECT_NE(text.find("*** DID NOT HAPPEN: --fault attest:1:replay: "), std::string::npos) << text;
}

TEST(RunFaults, AreNamedAtTheCallThatTheyBroke) {
  const GuestRun run = observe({.exit = {},
                                .result = R"({"outcome":"failed","exit":3,"attestation":"0123456789abcdef"})",
                                .secret = {},
                                .report = {}},
                               Logs("", kBrokerLog));
  ASSERT_EQ(run.calls.size(), 4U);
  EXPECT_EQ(run.calls[1].fault, "");
  EXPECT_EQ(run.calls[2].fault, "resource:1+:503");
}

}  // namespace
}  // namespace attestbed::tools
