// SPDX-License-Identifier: Apache-2.0
// `attestbed explain`, policies, and what `attestbed show` says of guest messages, as people run them.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/snp/guest_message.h"
#include "core/verify/test_ca.h"
#include "tests/command_line.h"

namespace attestbed {
namespace {

using nlohmann::json;
using tests::attestbed;
using tests::contains;
using tests::Octets;
using tests::Ran;
using tests::Scratch;

const std::string kSource = ATTESTBED_SOURCE_DIR;
const std::string kData = kSource + "/core/verify/testdata/";
const std::string kThen = " --at 2025-10-01T00:00:00Z";
const std::string kCerts = " --certs " + kData + "certs";

std::string report(const std::string& name) {
  return kData + "reports/" + name + ".bin";
}

std::string policy_in(const Scratch& scratch, const std::string& text) {
  return " --policy " + scratch.put("policy.toml", Octets(text.begin(), text.end()));
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
    EXPECT_EQ(check_named(explanation, "report", check.name)["verdict"], "passed") << check.name;
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
      "explain " + report("v3-milan") + " --certs " + kData + "certs/v2-milan-debug.vcek.der" + kThen;
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
  const Ran without_root = attestbed(command);
  EXPECT_EQ(without_root.exit_code, 1);
  EXPECT_TRUE(contains(without_root.out, "root_untrusted")) << without_root.out;
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

Octets page_of(snp::MsgType type, Bytes payload, const snp::Vmpck& key) {
  snp::Page page;
  EXPECT_TRUE(
      snp::seal_guest_message(key, {.type = type, .version = 1, .vmpck = 2, .seqno = 77, .payload = payload}, page));
  return Octets(page.begin(), page.end());
}

TEST(AttestbedShow, ShowsAGuestMessagesHeaderAndWithTheKeyItsPayload) {
  const Scratch scratch;
  const Octets key_octets(32, 0x5a);
  const snp::Vmpck key{std::span<const std::uint8_t, 32>(key_octets)};
  snp::MsgReportRsp response{};
  response.report_size = snp::kReportBytes;
  const Octets octets = verify::test::read_testdata("reports/v5-genoa.bin");
  std::ranges::copy(octets, reinterpret_cast<std::uint8_t*>(&response.report));
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&response), sizeof response);
  const std::string page = scratch.put("page.bin", page_of(snp::MsgType::report_rsp, payload, key));

  const json header = json::parse(attestbed("show " + page + " --json").out, nullptr, false);
  ASSERT_TRUE(header.is_object());
  EXPECT_EQ(header["kind"], "guest message");
  EXPECT_EQ(header["type"]["means"], "MSG_REPORT_RSP");
  EXPECT_EQ(header["seqno"], 77);
  EXPECT_EQ(header["vmpck"], 2);
  EXPECT_EQ(header["payload_size"], 1216);

  const std::string vmpck = " --vmpck " + scratch.put("vmpck.bin", key_octets);
  const json opened = json::parse(attestbed("show " + page + vmpck + " --json").out, nullptr, false);
  ASSERT_EQ(opened.size(), 2u);
  EXPECT_EQ(opened[0]["payload"], verify::hex_text(payload));
  EXPECT_EQ(opened[1]["kind"], "report");
  EXPECT_EQ(opened[1]["product"], "Genoa");

  const Ran other_key = attestbed("show " + page + " --vmpck " + scratch.put("other.bin", Octets(32, 0x5b)));
  EXPECT_EQ(other_key.exit_code, 1);
  EXPECT_TRUE(contains(other_key.err, "firmware_reply")) << other_key.err;
  EXPECT_EQ(attestbed("show " + page + " --vmpck " + scratch.put("short.bin", Octets(31, 1))).exit_code, 1);
  EXPECT_EQ(attestbed("show " + report("v5-genoa") + vmpck).exit_code, 2);
}

TEST(AttestbedShow, NeverShowsADerivedKey) {
  const Scratch scratch;
  const Octets key_octets(32, 0x5a);
  const snp::Vmpck key{std::span<const std::uint8_t, 32>(key_octets)};
  Octets payload(64, 0);
  std::fill(payload.begin() + 32, payload.end(), std::uint8_t{0xd7});
  const std::string page = scratch.put("page.bin", page_of(snp::MsgType::key_rsp, payload, key));
  const Ran ran = attestbed("show " + page + " --vmpck " + scratch.put("vmpck.bin", key_octets));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "MSG_KEY_RSP") && contains(ran.out, "not shown")) << ran.out;
  EXPECT_FALSE(contains(ran.out, "d7d7"));
}

TEST(AttestbedShow, TakesAFileForWhatItIsTold) {
  const std::string certificate = kData + "certs/v5-genoa.vcek.der";
  EXPECT_EQ(attestbed("show " + certificate + " --as certificate").exit_code, 0);
  const Ran as_report = attestbed("show " + certificate + " --as report");
  EXPECT_EQ(as_report.exit_code, 1);
  EXPECT_TRUE(contains(as_report.err, "bad_length")) << as_report.err;
  const Ran as_message = attestbed("show " + report("v5-genoa") + " --as guest-message");
  EXPECT_EQ(as_message.exit_code, 1);
  EXPECT_TRUE(contains(as_message.err, "4096 octets")) << as_message.err;
  EXPECT_EQ(attestbed("show " + certificate + " --as nonsense").exit_code, 2);
}

TEST(AttestbedExplain, EndsWithTheDocumentedExitCode) {
  const Scratch scratch;
  const std::string good = report("v5-genoa") + kCerts + kThen;
  const struct {
    std::string arguments;
    int exit_code;
    const char* says;
  } cases[] = {
      {"explain --help", 0, ""},
      {"explain", 2, "REPORT"},
      {"explain " + report("v5-genoa"), 2, "--certs"},
      {"explain " + good + policy_in(scratch, "[guest]\nvmlp = 0\n"), 2, "policy.toml:2: guest.vmlp"},
      {"explain " + good + " --policy " + (scratch / "absent"), 3, "io_failed"},
      {"explain " + (scratch / "absent") + kCerts, 3, "io_failed"},
      {"explain " + good + " --at yesterday", 2, "--at"},
  };
  for (const auto& [arguments, exit_code, says] : cases) {
    SCOPED_TRACE(arguments);
    const Ran ran = attestbed(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.out << ran.err;
    EXPECT_TRUE(contains(ran.err, says)) << ran.err;
  }
}

}  // namespace
}  // namespace attestbed
