// SPDX-License-Identifier: Apache-2.0
// `snp-sim kds` and the programs that ask it, as people run them.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/programs.h"

namespace attestbed::programs {
namespace {

namespace fs = std::filesystem;

class KdsProgramTest : public ProgramTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(run("snp-sim", {"certs", "--seed", "1", "--out", file("certs")}).exit.clean());
    ASSERT_TRUE(run("snp-sim", {"report", "--ca", file("certs"), "--out", file("report.bin")}).exit.clean());
  }

  std::string start_kds(const std::vector<std::string>& options = {}) {
    std::vector<std::string> args = {"kds", "--listen", "127.0.0.1:0", "--ca", file("certs")};
    args.insert(args.end(), options.begin(), options.end());
    return start_ready("snp-sim", args);
  }

  Finished verify(const std::vector<std::string>& options) {
    std::vector<std::string> args = {"verify", file("report.bin"),     "--root", file("certs/ark.pem"),
                                     "--at",   "2026-01-01T00:00:00Z", "--json"};
    args.insert(args.end(), options.begin(), options.end());
    return run("attestbed", args);
  }

  // What is asked of the KDS, by its own log.
  std::size_t asked() { return events("snp-sim", "kds_request").size(); }

  void flip_an_octet_of_each(const std::string& directory) const {
    for (const auto& entry : fs::directory_iterator(directory)) {
      std::string octets = *read(entry.path());
      octets.back() = static_cast<char>(octets.back() ^ 1);
      std::ofstream(entry.path(), std::ios::binary) << octets;
    }
  }
};

TEST_F(KdsProgramTest, VerifyNeedsNothingButAReportAndARoot) {
  const std::string url = start_kds();
  EXPECT_TRUE(url.starts_with("http://127.0.0.1:")) << url;
  const Finished done = verify({"--kds", url});
  EXPECT_EQ(done.exit.number, 0) << done.err << done.out;
  EXPECT_EQ(done.json()["verdict"], "verified");
  EXPECT_EQ(asked(), 2U);
}

TEST_F(KdsProgramTest, VerifyAsksWhetherTheChainIsRevoked) {
  const std::string url = start_kds();
  const Finished good = verify({"--kds", url, "--crl", "kds"});
  EXPECT_EQ(good.exit.number, 0) << good.err;
  EXPECT_EQ(asked(), 3U);
  EXPECT_EQ(verify({"--kds", url, "--crl", file("certs/ark.crl")}).exit.number, 0);
  EXPECT_EQ(verify({"--kds", url, "--crl", file("certs/ark.der")}).exit.number, 2);
  EXPECT_EQ(verify({"--kds", url, "--crl", file("absent")}).exit.number, 3);
  const std::string revoking = start_kds({"--revoke"});
  const Finished revoked = verify({"--kds", revoking, "--crl", "kds"});
  EXPECT_EQ(revoked.exit.number, 1);
  EXPECT_NE(revoked.err.find("certificate_revoked: SEV-Milan"), std::string::npos) << revoked.err;
}

TEST_F(KdsProgramTest, ACacheServesWithoutTheKds) {
  const std::string url = start_kds(), cache = file("cache");
  const Finished empty = verify({"--kds-cache", cache, "--offline"});
  EXPECT_EQ(empty.exit.number, 3) << empty.out;
  EXPECT_NE(empty.err.find("kds_offline: " + cache + "/vcek-Milan-"), std::string::npos) << empty.err;
  EXPECT_EQ(verify({"--kds", url, "--kds-cache", cache}).exit.number, 0);
  EXPECT_EQ(verify({"--kds", url, "--kds-cache", cache}).exit.number, 0);
  EXPECT_EQ(asked(), 2U);
  children_->end(child("snp-sim"));
  EXPECT_EQ(verify({"--kds-cache", cache, "--offline"}).exit.number, 0);
  flip_an_octet_of_each(cache);
  EXPECT_EQ(verify({"--kds-cache", cache, "--offline"}).exit.number, 3);
}

TEST_F(KdsProgramTest, WhatGoesWrongHasItsCodeAndExitStatus) {
  const struct {
    const char* fault;
    const char* code;
    int exit;
  } kCases[] = {{"1+:404", "kds_unknown", 1},
                {"1+:429:3600", "kds_busy", 3},
                {"1+:503", "kds_failed", 3},
                {"1+:garbage", "kds_malformed", 3},
                {"1+:delay:600000", "kds_timeout", 3}};
  for (const auto& [fault, code, exit] : kCases) {
    SCOPED_TRACE(fault);
    const std::string url = start_kds({"--fault", fault});
    const Finished done = verify({"--kds", url, "--kds-timeout", "1"});
    EXPECT_EQ(done.exit.number, exit) << done.err;
    EXPECT_NE(done.err.find(code), std::string::npos) << done.err;
    EXPECT_EQ(events("snp-sim", "kds_request").front().value("fault", ""), fault);
    children_->end(child("snp-sim"));
  }
}

TEST_F(KdsProgramTest, VerifyRefusesWhatItCannotMean) {
  const std::vector<std::vector<std::string>> kWrong = {
      {"--kds", "http://kds.example"},
      {"--kds", "ftp://127.0.0.1"},
      {"--kds-cache", file("cache")},
      {"--offline"},
      {"--crl", "kds"},
      {},
      {"--kds", "http://127.0.0.1:1", "--kds-cache", file("report.bin")},
  };
  for (const auto& options : kWrong) {
    const Finished done = verify(options);
    EXPECT_EQ(done.exit.number, 2) << testing::PrintToString(options) << done.err;
    EXPECT_EQ(done.out, "");
  }
}

TEST_F(KdsProgramTest, EndsOnSigtermWhileItIsBusy) {
  const std::string url = start_kds({"--fault", "1+:delay:600000"});
  launch::Child& kds = child("snp-sim");
  launch::Child& waits = start("attestbed", {"verify", file("report.bin"), "--kds", url});
  while (asked() == 0)
    ASSERT_FALSE(children_->wait_line(waits, "never ", clock_.now() + std::chrono::milliseconds(20)));
  EXPECT_TRUE(children_->end(kds, std::chrono::seconds(60)).clean());
  EXPECT_EQ(events("snp-sim", "stopped").size(), 1U);
  children_->end(waits);
}

TEST_F(KdsProgramTest, IsLoudAndStaysOnLoopback) {
  start_kds();
  ASSERT_EQ(events("snp-sim", "simulated").size(), 1U);
  EXPECT_EQ(events("snp-sim", "simulated")[0]["level"], "warning");
  const Finished open = run("snp-sim", {"kds", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(open.exit.number, 2);
  EXPECT_NE(open.err.find("not loopback"), std::string::npos) << open.err;
  EXPECT_EQ(run("snp-sim", {"kds", "--listen", "localhost:0"}).exit.number, 2);
  EXPECT_EQ(run("snp-sim", {"kds", "--fault", "1:busy"}).exit.number, 2);
  EXPECT_EQ(run("snp-sim", {"kds", "--ca", file("absent")}).exit.number, 3);
}

// The KDS links an HTTP library that initialises OpenSSL before main; what is named there must not be loaded.
TEST_F(KdsProgramTest, ReadsNoConfigurationOfOpenssl) {
  write("trap.cnf",
        "openssl_conf = init\n[init]\nproviders = providers\n[providers]\ntrap = trap\n[trap]\nmodule = " CONF_TRAP
        "\nactivate = 1\n");
  for (const char* program : {SNP_SIM, ATTESTBED, MOCK_KBS}) {
    const Finished done = run("/usr/bin/env", {"OPENSSL_CONF=" + file("trap.cnf"), program, "--version"});
    EXPECT_EQ(done.exit.number, 0) << program << done.err;
    EXPECT_EQ(done.err, "") << program;
  }
}

// The broker has no certificates of its own, and the guest sends none: the KDS completes the evidence.
TEST_F(KdsProgramTest, TheBrokerCompletesEvidenceFromTheKds) {
  start_machine();
  const std::string url = start_kds();
  write("secret", kSecretText);
  write("kbs.toml", "listen = \"127.0.0.1:0\"\n[kds]\nurl = \"" + url +
                        "\"\ncache = \"kds\"\n[[guest]]\nmeasurement = \"" + measurement_ +
                        "\"\nroots = \"certs/ark.pem\"\nresources = {\"default/sample/test\" = \"secret\"}\n");
  start_proxy(start_ready("mock-kbs", {"--config", file("kbs.toml")}));
  for (int i = 0; i < 2; ++i) {
    const Finished attested = guest();
    EXPECT_EQ(attested.exit.number, 0) << attested.err << child("mock-kbs").err().text();
  }
  EXPECT_EQ(asked(), 2U) << "the cache serves the second guest";
}

}  // namespace
}  // namespace attestbed::programs
