// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_break.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <vector>

#include "tools/attestbed/run_verdict.h"

namespace attestbed::tools {
namespace {

std::vector<std::string> documented_rows() {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/docs/breaks.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

TEST(BreaksDoc, ShowsEveryRowOfTheTableInOrderAndNoOther) {
  const std::vector<std::string> documented = documented_rows();
  std::size_t i = 0;
  for (const BreakRow& row : break_rows()) {
    const std::string wanted = break_row_text(row);
    EXPECT_EQ(i < documented.size() ? documented[i] : "(no row)", wanted) << "docs/breaks.md wants this row:\n"
                                                                          << wanted;
    ++i;
  }
  EXPECT_EQ(documented.size(), i);
}

TEST(BreakTable, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const BreakRow& row : break_rows()) {
    EXPECT_TRUE(names.insert(row.what).second) << row.what;
    EXPECT_EQ(break_named(row.what), &row);
    EXPECT_NE(break_list().find(std::string("  ") + row.what + " "), std::string::npos);
  }
  EXPECT_EQ(break_named("list"), nullptr);
  EXPECT_EQ(break_named(""), nullptr);
}

// The issue's table: what the guest's exit says to a script that knows nothing of codes.
TEST(BreakTable, GuestsExitAsTheProtocolSays) {
  const std::pair<const char*, int> wanted[] = {
      {"measurement", 1}, {"nonce", 1},  {"key", 1},      {"signature", 1}, {"policy", 1},     {"vmpl", 1},
      {"secret", 5},      {"params", 5}, {"firmware", 4}, {"kbs-down", 3},  {"proxy-dies", 3}, {"timeout", 3}};
  EXPECT_EQ(std::size(wanted), break_rows().size());
  for (const auto& [what, exit] : wanted) {
    const BreakRow* row = break_named(what);
    ASSERT_NE(row, nullptr) << what;
    EXPECT_EQ(row->guest_exit(), exit) << what;
  }
}

bool same(const Inputs& a, const Inputs& b) {
  return a.launched_image == std::string_view(b.launched_image) &&
         a.registered_image == std::string_view(b.registered_image) && a.policy == std::string_view(b.policy) &&
         a.firmware_faults == std::string_view(b.firmware_faults) && a.vmpl == b.vmpl && a.broker == b.broker &&
         a.tamper == b.tamper;
}

TEST(BreakTable, EveryRowChangesAnInput) {
  for (const BreakRow& row : break_rows()) {
    Inputs inputs;
    row.apply(inputs);
    EXPECT_FALSE(same(inputs, Inputs{})) << row.what;
  }
}

// A run in which mock-kbs and guest said these things.
GuestRun run_of(const char* judged, const char* guest_code, int exit) {
  GuestRun run;
  run.result = {{"outcome", "refused"}, {"exit", exit}, {"code", guest_code}};
  BrokerCall call;
  call.request = "POST /kbs/v0/attest";
  if (*judged != '\0') call.judgement = {{"code", judged}};
  run.calls.push_back(call);
  run.complaints = {{"mock-kbs", R"({"code":"x"})"}, {"attest-guest", "refused"}};
  return run;
}

TEST(BreakVerdict, IsMetOnlyIfCodeGuestCodeAndExitAreRight) {
  const BreakRow& row = *break_named("signature");
  EXPECT_TRUE(judge_break(row, run_of("signature_invalid", "attestation_refused", 1)).met);
  EXPECT_FALSE(judge_break(row, run_of("report_data_mismatch", "attestation_refused", 1)).met);
  EXPECT_FALSE(judge_break(row, run_of("", "attestation_refused", 1)).met);
  EXPECT_FALSE(judge_break(row, run_of("signature_invalid", "signature_invalid", 1)).met);
  EXPECT_FALSE(judge_break(row, run_of("signature_invalid", "attestation_refused", 3)).met);
}

TEST(BreakVerdict, ReadsTheCodeOfTheSideThatMustNoticeAndOfNoOther) {
  GuestRun run = run_of("broker_unreachable", "broker_unreachable", 3);
  const BreakRow& row = *break_named("kbs-down");
  EXPECT_FALSE(judge_break(row, run).met) << "the proxy said nothing";
  run.proxy = {{"code", "broker_unreachable"}};
  EXPECT_TRUE(judge_break(row, run).met);
  EXPECT_TRUE(judge_break(*break_named("secret"), run_of("", "tag_failed", 5)).met);
}

TEST(BreakVerdict, AReleaseIsLoud) {
  GuestRun run;
  run.result = {{"outcome", "released"}, {"exit", 0}, {"code", nullptr}};
  const BreakRow& row = *break_named("policy");
  EXPECT_EQ(
      break_unmet(row, run),
      "NOT NOTICED AS EXPECTED: --break policy: the broker should say debug_enabled and said nothing; attest-guest "
      "should exit 1 (attestation_refused) and exited 0 (nothing)");
  EXPECT_NE(break_text(row, run).find("*** NOT NOTICED"), std::string::npos);
  EXPECT_EQ(break_json(row, run)["met"], false);
  EXPECT_EQ(break_json(row, run)["found_code"], nullptr);
}

TEST(BreakVerdict, TextAndJsonHaveTheLogLinesOfEverySide) {
  const BreakRow& row = *break_named("signature");
  const GuestRun run = run_of("signature_invalid", "attestation_refused", 1);
  const std::string text = break_text(row, run);
  for (const char* said : {"signature: one bit of the report's signature", "the broker, as expected: signature_invalid",
                           "  mock-kbs: {\"code\":\"x\"}\n", "  attest-guest: refused\n"}) {
    EXPECT_NE(text.find(said), std::string::npos) << said << " in\n" << text;
  }
  const auto json = break_json(row, run);
  EXPECT_EQ(json["what"], "signature");
  EXPECT_EQ(json["noticed_by"], "broker");
  EXPECT_EQ(json["expected_code"], "signature_invalid");
  EXPECT_EQ(json["found_code"], "signature_invalid");
  EXPECT_EQ(json["met"], true);
  EXPECT_EQ(json["log"][0]["program"], "mock-kbs");
}

}  // namespace
}  // namespace attestbed::tools
