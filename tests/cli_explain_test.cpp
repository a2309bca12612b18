// SPDX-License-Identifier: Apache-2.0
// `attestbed explain` and policies as people run them.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/verify/test_ca.h"
#include "tests/command_line.h"

namespace attestbed {
namespace {

using nlohmann::json;
using tests::attestbed;
using tests::contains;
using tests::kCerts;
using tests::kSamples;
using tests::kSource;
using tests::kThen;
using tests::Octets;
using tests::Ran;
using tests::report;
using tests::Scratch;

std::string policy_in(const Scratch& scratch, const std::string& text) {
  return " --policy " + scratch.put_text("policy.toml", text);
}

json check_named(const json& explanation, const std::string& layer, const std::string& name) {
  for (const json& check : explanation["checks"]) {
    if (check["layer"] == layer && check["check"] == name) return check;
  }
  return nullptr;
}

TEST(AttestbedExplain, OfARealReportSaysEveryCheck) {
  const Ran ran = attestbed("explain " + report("v5-genoa") + kCerts + kThen + " --json");
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  const json explanation = json::parse(ran.out);
  EXPECT_EQ(explanation["verdict"], "accepted");
  EXPECT_EQ(explanation["roots_are_amds"], true);
  EXPECT_EQ(explanation["checks"].size(), verify::verification_checks().size() + verify::policy_checks().size());
  for (const verify::VerificationCheck& check : verify::verification_checks()) {
    const bool asked = check.name != std::string_view("revocation");  // there is no --crl
    EXPECT_EQ(check_named(explanation, "report", check.name)["verdict"], asked ? "passed" : "not_asked") << check.name;
  }
  EXPECT_EQ(check_named(explanation, "policy", "debug")["verdict"], "passed");
  EXPECT_EQ(check_named(explanation, "policy", "measurement")["verdict"], "not_asked");
}

TEST(AttestbedExplain, NamesEveryDemandThatFailsWithCauseAndNextStep) {
  const Scratch scratch;
  const std::string policy =
      policy_in(scratch, "[machine]\nproducts = \"Turin\"\n[guest]\nvmpl = 0\nminimum_svn = 9\n");
  const std::string command = "explain " + report("v2-milan-debug") + kCerts + kThen + policy;
  const Ran ran = attestbed(command + " --json");
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  const json explanation = json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(explanation.is_object()) << ran.out;
  EXPECT_EQ(explanation["verdict"], "refused");
  std::vector<std::string> failed;
  for (const json& check : explanation["checks"]) {
    if (check["verdict"] != "failed") continue;
    failed.push_back(check["check"]);
    EXPECT_FALSE(check["cause"].get<std::string>().empty()) << check;
    EXPECT_FALSE(check["next"].get<std::string>().empty()) << check;
  }
  EXPECT_EQ(failed, (std::vector<std::string>{"product", "debug", "guest svn"}));
  EXPECT_EQ(check_named(explanation, "policy", "product")["code"], "product_refused");

  const Ran text = attestbed(command);
  EXPECT_EQ(text.exit_code, 1);
  for (const char* part : {"FAILED  debug", "debug_enabled", "cause", "next", "not asked", "REFUSED: "}) {
    EXPECT_TRUE(contains(text.out, part)) << part << "\n" << text.out;
  }
}

TEST(AttestbedExplain, StopsAtTheFirstFailureOfAReportAndSaysWhereTheRightCertificateIs) {
  // Another chip's certificate of the same product: KDS has the right one at the address that AMD documents.
  const std::string command =
      "explain " + report("v3-milan") + " --certs " + kSamples + "certs/v2-milan-debug.vcek.der" + kThen;
  const Ran ran = attestbed(command + " --json");
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  const json explanation = json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(explanation.is_object()) << ran.out;
  const json selection = check_named(explanation, "report", "selection");
  EXPECT_EQ(selection["verdict"], "failed");
  EXPECT_EQ(selection["code"], "chip_id_mismatch");
  const Octets octets = verify::test::read_testdata("reports/v3-milan.bin");
  const std::string address =
      "https://kdsintf.amd.com/vcek/v1/Milan/" + verify::hex_text(Bytes(octets).subspan(0x1a0, 64)) + "?blSPL=";
  EXPECT_TRUE(contains(selection["next"], address)) << selection;
  EXPECT_EQ(check_named(explanation, "report", "signature")["verdict"], "not_reached");
  EXPECT_EQ(check_named(explanation, "policy", "debug")["verdict"], "not_reached");
}

TEST(AttestbedExplain, OfAMachineOfSnpSimPassesTheStrictExampleLoudly) {
  const Scratch scratch;
  const std::string ca = scratch / "ca", made = scratch / "r.bin";
  ASSERT_EQ(tests::run(SNP_SIM, "certs --product Genoa --out " + ca).exit_code, 0);
  ASSERT_EQ(tests::run(SNP_SIM, "report --ca " + ca + " --out " + made).exit_code, 0);
  const std::string command =
      "explain " + made + " --certs " + ca + " --policy " + kSource + "/docs/examples/strict.toml";
  const Ran ran = attestbed(command + " --root " + ca + "/ark.pem");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_TRUE(contains(ran.out, "SIMULATED CHIP")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "THE ROOT IS NOT AMD'S"));
  EXPECT_TRUE(contains(ran.out, "ACCEPTED: "));
  const Ran listed = attestbed(command + " --root " + ca + "/ark.pem --crl " + ca + "/ark.crl --json");
  EXPECT_EQ(listed.exit_code, 0) << listed.out << listed.err;
  EXPECT_EQ(check_named(json::parse(listed.out), "report", "revocation")["verdict"], "passed");
  const Ran without_root = attestbed(command);
  EXPECT_EQ(without_root.exit_code, 1);
  EXPECT_TRUE(contains(without_root.out, "root_untrusted")) << without_root.out;
}

TEST(AttestbedExplain, FindsTheVlekLineOfACaDirectory) {
  const Scratch scratch;
  const std::string ca = scratch / "ca", made = scratch / "r.bin";
  ASSERT_EQ(tests::run(SNP_SIM, "certs --product Milan --out " + ca).exit_code, 0);
  ASSERT_EQ(tests::run(SNP_SIM, "report --ca " + ca + " --key vlek --out " + made).exit_code, 0);
  const std::string command = "explain " + made + " --json --root " + ca + "/ark.pem --certs " + ca;
  const Ran whole = attestbed(command);
  EXPECT_EQ(whole.exit_code, 0) << whole.out << whole.err;
  EXPECT_TRUE(contains(check_named(json::parse(whole.out), "report", "selection")["found"], "ca/vlek/vlek."));
  const Ran other_kind = attestbed(command + "/vcek.pem");
  EXPECT_EQ(other_kind.exit_code, 1);
  const json selection = check_named(json::parse(other_kind.out), "report", "selection");
  EXPECT_EQ(selection["code"], "certificate_missing");
  EXPECT_TRUE(contains(selection["found"], "no VLEK and 1 VCEK among")) << selection;
  EXPECT_TRUE(contains(selection["next"], "its vlek/ has the VLEK")) << selection;
}

TEST(AttestbedExplain, OfASimulatedChipAsksForNothingAtAmd) {
  const Scratch scratch;
  for (const char* product : {"Milan", "Genoa"}) {  // simulated Turin chips have all the same 8 octets of CHIP_ID
    const std::string ca = scratch / product, other = ca + "-other", made = ca + ".bin";
    ASSERT_EQ(tests::run(SNP_SIM, std::string("certs --product ") + product + " --out " + ca).exit_code, 0);
    ASSERT_EQ(tests::run(SNP_SIM, std::string("certs --seed 1 --product ") + product + " --out " + other).exit_code, 0);
    ASSERT_EQ(tests::run(SNP_SIM, "report --ca " + ca + " --out " + made).exit_code, 0);
    const std::string command = "explain " + made + " --root " + ca + "/ark.pem --certs " + other + kThen;
    const Ran ran = attestbed(command);
    EXPECT_EQ(ran.exit_code, 1) << ran.err;
    EXPECT_TRUE(contains(ran.out, "chip_id_mismatch") && contains(ran.out, "snp-sim kds --listen")) << ran.out;
    EXPECT_FALSE(contains(ran.out, "kdsintf")) << ran.out;
    const Ran own = attestbed(command + " --kds http://127.0.0.1:1 --kds-timeout 1");
    EXPECT_EQ(own.exit_code, 3) << own.out;
    const std::string next = std::string("curl http://127.0.0.1:1/vcek/v1/") + product + "/cert_chain";
    EXPECT_TRUE(contains(own.out, next)) << own.out;
    EXPECT_FALSE(contains(own.out, "kdsintf")) << own.out;
  }
}

TEST(AttestbedExplain, EndsWithWhatFailedAndCountsTheRest) {
  const std::string command =
      "explain " + report("v3-milan") + " --certs " + kSamples + "certs/v2-milan-debug.vcek.der" + kThen;
  const Ran ran = attestbed(command);
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  const std::string missed = std::to_string(verify::policy_checks().size());
  EXPECT_TRUE(contains(ran.out, "  not reached " + missed + " checks (--all names them)\n")) << ran.out;
  EXPECT_FALSE(contains(ran.out, "measurement")) << ran.out;
  EXPECT_LE(std::ranges::count(ran.out, '\n'), 24) << "the failure must stay on a screen\n" << ran.out;
  const std::string last = ran.out.substr(ran.out.rfind('\n', ran.out.size() - 2) + 1);
  EXPECT_TRUE(last.starts_with("REFUSED: selection (chip_id_mismatch) failed; ")) << last;
  const Ran all = attestbed(command + " --all");
  for (const verify::PolicyCheck& check : verify::policy_checks())
    EXPECT_TRUE(contains(all.out, check.name)) << check.name;
}

TEST(AttestbedExplain, SaysWhyRevocationCannotBeJudged) {
  const Scratch scratch;
  const std::string milan = scratch / "milan", genoa = scratch / "genoa", made = scratch / "r.bin";
  ASSERT_EQ(tests::run(SNP_SIM, "certs --product Milan --out " + milan).exit_code, 0);
  ASSERT_EQ(tests::run(SNP_SIM, "certs --product Genoa --out " + genoa).exit_code, 0);
  ASSERT_EQ(tests::run(SNP_SIM, "report --ca " + genoa + " --out " + made).exit_code, 0);
  const std::string evidence = made + " --certs " + genoa + " --root " + genoa + "/ark.pem";
  const Ran ran = attestbed("explain " + evidence + " --crl " + milan + "/ark.crl --json");
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  const json check = check_named(json::parse(ran.out), "report", "revocation");
  EXPECT_EQ(check["verdict"], "failed");
  EXPECT_EQ(check["code"], "crl_missing");
  EXPECT_TRUE(contains(check["next"], "ark.crl of the directory of `snp-sim certs`")) << check;
}

TEST(AttestbedExplain, OfAnEmptyCacheNamesTheAnswerThatItLacks) {
  const Scratch scratch;
  const Ran ran = attestbed("explain " + report("v5-genoa") + kThen + " --offline --kds-cache " + (scratch / "cache"));
  EXPECT_EQ(ran.exit_code, 3) << ran.out << ran.err;
  EXPECT_TRUE(contains(ran.out, "ok      form")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "FAILED  selection                        kds_offline")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "--kds amd")) << ran.out;
}

TEST(AttestbedExplain, KnowsASimulatedTurinByItsShortMarker) {
  using namespace verify::test;
  const Scratch scratch;
  const std::string marker = "abed-sim";  // as long as Turin's chip ids are
  snp::RawReport made = report_for(snp::Product::turin);
  made.chip_id = {};
  std::ranges::copy(marker, made.chip_id.begin());
  sign(made, vek_key());
  const Bytes octets = snp::octets_of(made);
  verify::test::Spec vcek = vcek_spec(snp::Product::turin);
  vcek.extension(amd_oid("4")).octets = Octets(marker.begin(), marker.end());
  const std::string file = scratch.put("report.bin", Octets(octets.begin(), octets.end()));
  const std::string ark = scratch.put("ark.der", der_of(ark_spec("Turin")));
  scratch.put("ask.der", der_of(ask_spec("Turin")));
  scratch.put("vcek.der", der_of(vcek));
  const std::string evidence = file + " --certs " + scratch.path() + " --root " + ark + kThen;
  for (const std::string command : {"explain ", "verify "}) {
    const Ran ran = attestbed(command + evidence);
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    EXPECT_TRUE(contains(ran.out, "SIMULATED CHIP")) << ran.out;
    EXPECT_EQ(json::parse(attestbed(command + evidence + " --json").out)["simulated_chip"], true);
  }
  EXPECT_TRUE(contains(attestbed("show " + file).out, "SIMULATED chip"));
}

TEST(AttestbedVerify, JudgesAPolicyToo) {
  const Scratch scratch;
  const std::string command = "verify " + report("v5-genoa") + kCerts + kThen;
  const Ran good = attestbed(command + policy_in(scratch, "[machine]\nproducts = \"Genoa\"\n"));
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_TRUE(contains(good.out, "policy: product")) << good.out;
  const Ran bad =
      attestbed(command + policy_in(scratch, "[machine]\nproducts = \"Milan\"\n[guest]\nminimum_svn = 99\n"));
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_TRUE(contains(bad.err, "product_refused") && contains(bad.err, "guest_svn_too_low")) << bad.err;
}

}  // namespace
}  // namespace attestbed
