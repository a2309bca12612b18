// SPDX-License-Identifier: Apache-2.0
// `attestbed verify` as people run it: its output, and the exit codes of the program.
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
using tests::kThen;
using tests::Octets;
using tests::Ran;
using tests::report;
using tests::Scratch;

TEST(AttestbedVerify, AcceptsEverySampleAndSaysWhichCertificateFits) {
  const struct {
    const char* report;
    const char* certificate;
  } samples[] = {{"v2-milan-debug", "v2-milan-debug.vcek.der"},
                 {"v2-milan-idblock", "v2-milan-idblock.vcek.der"},
                 {"v2-milan-sevcrate", "v2-milan-sevcrate.vcek.der"},
                 {"v3-milan", "v3-milan.vcek.der"},
                 {"v3-milan-vlek", "v3-milan-vlek.vlek.der"},
                 {"v5-genoa", "v5-genoa.vcek.der"},
                 {"v5-turin", "v5-turin.vcek.der"}};
  for (const auto& [name, certificate] : samples) {
    SCOPED_TRACE(name);
    const Ran ran = attestbed("verify " + report(name) + kCerts + kThen + " --json");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    const json verdict = json::parse(ran.out, nullptr, false);
    ASSERT_TRUE(verdict.is_object()) << ran.out;
    EXPECT_EQ(verdict["verdict"], "verified");
    EXPECT_EQ(verdict["roots_are_amds"], true);
    EXPECT_EQ(verdict["checks"].size(), 14u);
    for (const json& check : verdict["checks"]) EXPECT_EQ(check["ok"], true) << check;
    EXPECT_TRUE(contains(verdict["checks"][1]["found"], certificate)) << verdict["checks"][1];
  }
}

TEST(AttestbedVerify, StatesWhatItDidNotJudge) {
  const Ran ran = attestbed("verify " + report("v2-milan-debug") + kCerts + kThen + " --json");
  ASSERT_EQ(ran.exit_code, 0);
  const json facts = json::parse(ran.out)["not_judged"];
  EXPECT_EQ(facts["debug"], true);
  EXPECT_EQ(facts["vmpl"], 0);
  EXPECT_EQ(facts["policy"]["value"], "0x00000000000b0000");
  const Ran masked = attestbed("verify " + report("v3-milan-vlek") + kCerts + kThen);
  EXPECT_TRUE(contains(masked.out, "ok      chip id        not compared")) << masked.out;
}

TEST(AttestbedVerify, WithoutATimeRefusesTheExpiredVlek) {
  const Ran ran = attestbed("verify " + report("v3-milan-vlek") + kCerts);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(contains(ran.out, "FAILED  chain_expired")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "REFUSED"));
  EXPECT_TRUE(contains(ran.err, "chain_expired"));
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1);
}

TEST(AttestbedVerify, RefusesAFlippedOctetWithTheReason) {
  const Scratch scratch;
  const struct {
    std::size_t octet;
    const char* code;
  } flips[] = {{0x90, "signature_invalid"}, {0x187, "tcb_mismatch"},   {0x1a0, "chip_id_mismatch"},
               {0x20f, "report_reserved"},  {0x000, "report_version"}, {0x2a0, "signature_invalid"}};
  for (const auto& [octet, code] : flips) {
    SCOPED_TRACE(code);
    Octets changed = verify::test::read_testdata("reports/v5-genoa.bin");
    changed[octet] ^= 0xff;
    const Ran ran = attestbed("verify " + scratch.put("changed.bin", changed) + kCerts + kThen);
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_TRUE(contains(ran.out, std::string("FAILED  ") + code)) << ran.out;
  }
}

TEST(AttestbedVerify, CertOnlyStopsAfterTheChain) {
  const Ran good = attestbed("verify --cert-only --certs " + kSamples + "certs/turin-only.vcek.der" + kThen);
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_TRUE(contains(good.out, "CHAIN VERIFIED, no report was judged"));
  for (const char* bad : {"bad-hwid-wrapped", "bad-legacy"}) {
    const Ran ran = attestbed("verify --cert-only --certs " + kSamples + "certs/" + bad + ".vcek.der" + kThen);
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_TRUE(contains(ran.out, "FAILED  chain_signature")) << ran.out;
  }
  const Ran none = attestbed("verify --cert-only --certs " + kSamples + "ca/ask_ark_milan.pem" + kThen);
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(contains(none.err, "certificate_missing"));

  const Scratch scratch;
  Octets changed = verify::test::read_testdata("reports/v5-genoa.bin");
  changed[0x90] ^= 1;  // the signature no longer fits, which nobody looks at here
  EXPECT_EQ(attestbed("verify --cert-only " + scratch.put("r.bin", changed) + kCerts + kThen).exit_code, 0);
}

TEST(AttestbedVerify, TrustsOnlyTheRootsThatAreNamed) {
  const std::string genoa = "verify " + report("v5-genoa") + kCerts + kThen;
  EXPECT_EQ(attestbed(genoa + " --root " + kSamples + "ca/ask_ark_genoa.pem").exit_code, 0);
  const Ran other = attestbed(genoa + " --root " + kSamples + "ca/ask_ark_milan.pem");
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_TRUE(contains(other.err, "root_untrusted")) << other.err;
  const Ran none = attestbed(genoa + " --root " + kSamples + "certs/v5-genoa.vcek.der");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_TRUE(contains(none.err, "v5-genoa.vcek.der: expected a self-signed ARK")) << none.err;
}

TEST(AttestbedVerify, IsLoudAboutARootThatIsNotAmds) {
  using namespace verify::test;
  const Scratch scratch;
  snp::RawReport made = report_for(snp::Product::genoa);
  sign(made, vek_key());
  const Bytes octets = snp::octets_of(made);
  const std::string file = scratch.put("report.bin", Octets(octets.begin(), octets.end()));
  const std::string ark = scratch.put("ark.der", der_of(ark_spec("Genoa")));
  scratch.put("ask.der", der_of(ask_spec("Genoa")));
  scratch.put("vcek.der", der_of(vcek_spec(snp::Product::genoa)));
  const std::string command = "verify " + file + " --certs " + scratch.path() + kThen;

  const Ran named = attestbed(command + " --root " + ark);
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_TRUE(contains(named.out, "THE ROOT IS NOT AMD'S"));
  EXPECT_TRUE(contains(named.out, "VERIFIED UNDER A ROOT THAT IS NOT AMD'S"));
  const Ran evidence_only = attestbed(command);
  EXPECT_EQ(evidence_only.exit_code, 1);
  EXPECT_TRUE(contains(evidence_only.err, "root_untrusted")) << evidence_only.err;
}

TEST(AttestbedVerify, SkipsAMalformedFileOfADirectoryButNotANamedOne) {
  const Scratch scratch;
  scratch.put("a-broken.der", {0x30, 0x03, 0x01});
  scratch.put("notes.txt", {'x'});
  scratch.put("b.der", verify::test::read_testdata("certs/v5-genoa.vcek.der"));
  const std::string command = "verify " + report("v5-genoa") + kThen + " --certs " + scratch.path();
  const Ran in_directory = attestbed(command);
  EXPECT_EQ(in_directory.exit_code, 0) << in_directory.err;
  EXPECT_TRUE(contains(in_directory.out, "warning")) << in_directory.out;
  EXPECT_TRUE(contains(in_directory.out, "a-broken.der")) << in_directory.out;
  const Ran named = attestbed(command + "/a-broken.der");
  EXPECT_EQ(named.exit_code, 1);
  EXPECT_TRUE(contains(named.err, "certificate_malformed")) << named.err;
  scratch.put("c.pem", Octets(70 * 1024, 'x'));
  EXPECT_TRUE(contains(attestbed(command).out, "too_large"));
}

}  // namespace
}  // namespace attestbed
