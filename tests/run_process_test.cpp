// SPDX-License-Identifier: Apache-2.0
// attestbed run as a process: what it shows, what it keeps, and that it leaves nothing behind.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/programs.h"

namespace attestbed::programs {
namespace {

namespace fs = std::filesystem;

class RunProcess : public ProgramTest {
 protected:
  /// scratch_of is the directory that a run used, from the sockets that its parts named.
  static std::string scratch_of(const nlohmann::json& run) {
    const std::string ready = run["parts"][0]["ready"];  // "ready unix:/tmp/attestbed-XXXXXX/firmware.sock …"
    const std::size_t start = ready.find('/');
    return ready.substr(start, ready.find("/firmware.sock") - start);
  }

  std::string kept(const std::string& name) { return read(file("kept/" + name)).value_or(""); }
};

TEST_F(RunProcess, ReleasesAndShowsEveryBorder) {
  const Finished done = run("attestbed", {"run", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  const nlohmann::json json = done.json();
  EXPECT_EQ(json["simulated"], true);
  ASSERT_EQ(json["guests"].size(), 1U);
  const nlohmann::json& guest = json["guests"][0];
  EXPECT_EQ(guest["outcome"], "released");
  EXPECT_EQ(guest["exit"], 0);
  EXPECT_EQ(guest["authenticated"], false);
  EXPECT_EQ(guest["secret"]["octets"], 12);
  EXPECT_EQ(guest["secret"].size(), 1U) << "neither shown nor a digest, which would tell it to who can guess";

  std::vector<std::string> phases;
  for (const auto& phase : guest["phases"]) {
    phases.push_back(phase["name"]);
    EXPECT_GE(phase["ms"].get<double>(), 0.0);
  }
  EXPECT_EQ(phases, (std::vector<std::string>{"connected", "key", "negotiated", "reported", "answered", "opened"}));

  ASSERT_EQ(guest["frames"].size(), 4U);
  EXPECT_EQ(guest["frames"][0]["octets"], 8 + 31);    // facts of the wire: the default NegotiationRequest
  EXPECT_EQ(guest["frames"][2]["octets"], 8 + 1883);  // and an AttestationRequest with a challenge of 32 octets

  ASSERT_EQ(guest["calls"].size(), 3U);
  const char* requests[] = {"POST /kbs/v0/auth", "POST /kbs/v0/attest", "GET /kbs/v0/resource/default/sample/test"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(guest["calls"][i]["request"], requests[i]);
    EXPECT_EQ(guest["calls"][i]["status"], 200);
    EXPECT_GT(guest["calls"][i]["octets_received"], 0);
  }
  EXPECT_EQ(guest["report"]["version"], 3);
  EXPECT_EQ(guest["report"]["vmpl"], 0);
  EXPECT_EQ(guest["report"]["measurement"], json["measurement"]);
  EXPECT_EQ(guest["report"]["report_data"], guest["report_data"]);
  EXPECT_EQ(guest["report"]["simulated_chip"], true);
  EXPECT_EQ(guest["attestation"].get<std::string>().size(), 16U);
  EXPECT_EQ(guest["cookie_sha256"].get<std::string>().size(), 16U);
  EXPECT_EQ(guest["token_sha256"].get<std::string>().size(), 16U);
}

TEST_F(RunProcess, EndsWithTheSecretInAtMostFortyLines) {
  const Finished done = run("attestbed", {"run", "--show-secret"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  EXPECT_TRUE(done.out.ends_with("\nhello, SVSM!\n")) << done.out;
  EXPECT_LE(std::count(done.out.begin(), done.out.end(), '\n'), 40) << done.out;
  EXPECT_NE(done.out.find("SIMULATED HARDWARE"), std::string::npos);
  EXPECT_NE(done.out.find("NegotiationRequest 39 B"), std::string::npos) << done.out;
}

TEST_F(RunProcess, HidesTheSecretUnlessAsked) {
  const Finished done = run("attestbed", {"run"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  EXPECT_EQ(done.out.find("hello, SVSM!"), std::string::npos);
  EXPECT_NE(done.out.find("released: 12 octets\n"), std::string::npos) << done.out;
}

TEST_F(RunProcess, TakesSecretResourceAndProductFromFlags) {
  write("mine", std::string("\x00\xff\x01", 3));
  const Finished done = run("attestbed", {"run", "--json", "--show-secret", "--secret-file", file("mine"), "--resource",
                                          "team/key/disk-1", "--product", "Genoa"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  const nlohmann::json guest = done.json()["guests"][0];
  EXPECT_EQ(guest["secret"]["shown"], "hex:00ff01");
  EXPECT_EQ(guest["terms"]["resource"], "team/key/disk-1");
  EXPECT_EQ(guest["calls"][2]["request"], "GET /kbs/v0/resource/team/key/disk-1");
  EXPECT_EQ(done.json()["product"], "Genoa");
}

TEST_F(RunProcess, LeavesNoProcessAndNoDirectory) {
  const Finished done = run("attestbed", {"run", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  const std::string scratch = scratch_of(done.json());
  EXPECT_TRUE(scratch.starts_with("/tmp/attestbed-")) << scratch;
  EXPECT_FALSE(fs::exists(scratch));
  EXPECT_EQ(users_of(scratch), 0);
}

TEST_F(RunProcess, KeepsWhatAnotherToolNeedsToJudgeTheReport) {
  const Finished done = run("attestbed", {"run", "--json", "--keep", file("kept")});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  for (const char* name : {"snp-sim.log", "mock-kbs.log", "attest-proxy.log", "attest-guest.json", "report.bin",
                           "certs/ark.pem", "certs/ask.pem", "certs/vcek.pem"}) {
    EXPECT_FALSE(kept(name).empty()) << name;
  }
  const Finished verified = run("attestbed", {"verify", file("kept/report.bin"), "--certs", file("kept/certs"),
                                              "--root", file("kept/certs/ark.pem")});
  EXPECT_EQ(verified.exit.text(), "exit 0") << verified.out << verified.err;
  const Finished with_amds_roots = run("attestbed", {"verify", file("kept/report.bin"), "--certs", file("kept/certs")});
  EXPECT_EQ(with_amds_roots.exit.text(), "exit 1") << with_amds_roots.out;
  const std::string attestation = done.json()["guests"][0]["attestation"];
  for (const char* log : {"mock-kbs.log", "attest-proxy.log", "attest-guest.json"}) {
    EXPECT_NE(kept(log).find(attestation), std::string::npos) << log;
  }
}

TEST_F(RunProcess, NoSecretTokenCookieOrKeyIsInAnythingItKeepsOrPrints) {
  const std::string secret = "tell-nobody-about-this-secret";
  write("mine", secret);
  const Finished done = run("attestbed", {"run", "--json", "--keep", file("kept"), "--secret-file", file("mine")});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  std::string everything = done.out + done.err;
  for (const auto& entry : fs::recursive_directory_iterator(file("kept"))) {
    if (!entry.is_regular_file()) continue;
    EXPECT_NE(entry.path().extension(), ".key");
    everything += read(entry.path()).value_or("");
  }
  ASSERT_GT(everything.size(), 10'000U);
  const char* forbidden[] = {
      secret.c_str(),
      "dGVsbC1ub2JvZHkt",          // base64 of its beginning
      "74656c6c2d6e6f626f64792d",  // hex of its beginning
      "53cb3797ee6c3364",          // of its SHA-256, with which guesses can be tried
      "kbs-session-id=",
      "eyJ",  // a cookie; a JSON Web Token or JWE header
      "Bearer",
      "PRIVATE KEY",
  };
  for (const char* text : forbidden) EXPECT_EQ(everything.find(text), std::string::npos) << text;
}

struct UsageCase {
  const char* name;
  std::vector<std::string> args;
};

class RunUsage : public RunProcess, public testing::WithParamInterface<UsageCase> {};

TEST_P(RunUsage, ExitsTwoAndStartsNothing) {
  const Finished done = run("attestbed", GetParam().args);
  EXPECT_EQ(done.exit.text(), "exit 2") << done.out << done.err;
  EXPECT_EQ(done.out, "");
  EXPECT_FALSE(done.err.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Flags, RunUsage,
    testing::Values(UsageCase{"UnknownFlag", {"run", "--fast"}}, UsageCase{"EmptySecret", {"run", "--secret", ""}},
                    UsageCase{"TwoSecrets", {"run", "--secret", "x", "--secret-file", "/dev/null"}},
                    UsageCase{"AbsentSecretFile", {"run", "--secret-file", "/nonexistent/x"}},
                    UsageCase{"ResourceClimbs", {"run", "--resource", "a/../b"}},
                    UsageCase{"UnknownProduct", {"run", "--product", "Naples"}},
                    UsageCase{"TimeoutZero", {"run", "--timeout", "0"}},
                    UsageCase{"TimeoutThatCannotBeShared", {"run", "--timeout", "1"}},
                    UsageCase{"TimeoutOfABreak", {"run", "--break", "timeout", "--timeout", "9"}},
                    UsageCase{"TimeoutOfBusyFirmware", {"run", "--break", "firmware", "--timeout", "60"}},
                    UsageCase{"KeepIsNotEmpty", {"run", "--keep", "/usr"}}),
    [](const auto& test) { return test.param.name; });

/// A copy of attestbed whose sibling programs are scripts of the test.
class RunWithSiblings : public RunProcess {
 protected:
  void sibling(const std::string& name, const std::string& script) {
    fs::create_directories(file("bin"));
    write("bin/" + name, "#!/bin/sh\n" + script + "\n");
    fs::permissions(file("bin/" + name), fs::perms::owner_all);
  }
  std::string copy_of_attestbed() {
    fs::create_directories(file("bin"));
    fs::copy_file(ATTESTBED, file("bin/attestbed"));
    return file("bin/attestbed");
  }
};

TEST_F(RunWithSiblings, AMissingProgramIsNamed) {
  const Finished done = run(copy_of_attestbed(), {"run"});
  EXPECT_EQ(done.exit.text(), "exit 3");
  EXPECT_NE(done.err.find("snp-sim: no such program beside"), std::string::npos) << done.err;
}

TEST_F(RunWithSiblings, APartThatCannotStartIsNamedWithItsLastLines) {
  sibling("snp-sim", "echo no entropy here >&2; exit 9");
  const Finished done = run(copy_of_attestbed(), {"run", "--keep", file("kept")});
  EXPECT_EQ(done.exit.text(), "exit 3");
  EXPECT_NE(done.err.find("snp-sim certs: exit 9"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("no entropy here"), std::string::npos) << done.err;
  EXPECT_EQ(kept("snp-sim-certs.log"), "no entropy here\n");
}

TEST_F(RunWithSiblings, AGuestThatDiesIsAFailureAndNoRelease) {
  sibling("snp-sim", "[ $1 = certs ] && exit 0; echo ready unix:/x measurement 00; exec sleep 1000");
  sibling("mock-kbs", "echo ready http://127.0.0.1:1; exec sleep 1000");
  sibling("attest-proxy", "echo $$ >" + file("pid") + "; echo ready unix:/x; exit 0");
  // A process that nobody has waited for still answers kill -0: after this loop attestbed knows of the proxy's end.
  sibling("attest-guest", "while kill -0 $(cat " + file("pid") + "); do sleep 0.01; done; kill -SEGV $$");
  const Finished done = run(copy_of_attestbed(), {"run", "--json"});
  EXPECT_EQ(done.exit.text(), "exit 1") << done.err;
  EXPECT_EQ(done.json()["guests"][0]["outcome"], "failed");
  EXPECT_NE(done.json()["guests"][0]["meaning"].get<std::string>().find("signal 11"), std::string::npos);
  EXPECT_EQ(done.json()["guests"][0]["phases"], nlohmann::json::array()) << "whoever reads it may count on the member";
  EXPECT_EQ(done.json()["early_ends"], nlohmann::json({"attest-proxy: exit 0"}));
}

TEST_F(RunWithSiblings, ASignalEndsEverythingAndCleansUp) {
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string name = "signal-" + std::to_string(number);
    ASSERT_EQ(::mkfifo(file(name).c_str(), 0600), 0);
    sibling("snp-sim", "[ $1 = certs ] && exit 0; printf %s \"$5\" >" + file(name) + "; sleep 1000");
    if (number == SIGINT) copy_of_attestbed();
    launch::Child& attestbed = start(file("bin/attestbed"), {"run"});
    const std::string socket = read(file(name)).value_or("");  // blocks until the part is up; it never gets ready
    const std::string scratch = fs::path(socket).parent_path();
    ASSERT_TRUE(fs::exists(scratch)) << socket;
    ASSERT_GE(users_of(scratch), 1);
    ::kill(attestbed.pid(), number);
    const Finished done = finish(attestbed);
    EXPECT_EQ(done.exit.text(), "exit 3");
    EXPECT_NE(done.err.find("stopped by a signal"), std::string::npos) << done.err;
    EXPECT_FALSE(fs::exists(scratch));
    EXPECT_EQ(users_of(scratch), 0);
  }
}

TEST_F(RunWithSiblings, EvenSigkillLeavesNoProcessAndNoDirectory) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
  sibling("snp-sim", "[ $1 = certs ] && exit 0; printf %s \"$5\" >" + file("fifo") + "; exec sleep 1000");
  launch::Child& attestbed = start(copy_of_attestbed(), {"run"});
  const std::string scratch = fs::path(read(file("fifo")).value_or("")).parent_path();
  ASSERT_TRUE(fs::exists(scratch)) << scratch;
  ::kill(attestbed.pid(), SIGKILL);
  EXPECT_EQ(finish(attestbed).exit.text(), "signal 9 (Killed)");
  // What it started is now ours to wait for: the part, which the kernel killed, and the remover, which has done its
  // work.
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0);
  EXPECT_FALSE(fs::exists(scratch));
}

}  // namespace
}  // namespace attestbed::programs
