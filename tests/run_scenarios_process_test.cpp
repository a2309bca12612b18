// SPDX-License-Identifier: Apache-2.0
// attestbed run with many guests, and with something broken: what each part says in its own log.
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/programs.h"

namespace attestbed::programs {
namespace {

namespace fs = std::filesystem;

class RunScenarios : public ProgramTest {
 protected:
  std::string kept(const std::string& name) { return read(file("kept/" + name)).value_or(""); }

  /// events_in are the events of a kept log that have a code.
  std::vector<nlohmann::json> refusals_in(const std::string& log) {
    std::vector<nlohmann::json> found;
    std::istringstream lines(kept(log));
    for (std::string line; std::getline(lines, line);) {
      nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object() && event.contains("code")) found.push_back(std::move(event));
    }
    return found;
  }
};

struct BreakCase {
  const char* what;
  const char* log;         // of the part that must notice
  const char* code;        // in that log
  int guest_exit;          // the issue's number
  const char* guest_code;  // docs/errors.md
};

class RunBreak : public RunScenarios, public testing::WithParamInterface<BreakCase> {};

TEST_P(RunBreak, IsNoticedByThePartThatMustNotice) {
  const BreakCase& wanted = GetParam();
  const Finished done = run("attestbed", {"run", "--break", wanted.what, "--json", "--keep", file("kept")});
  EXPECT_EQ(done.exit.text(), "exit 1") << done.err;
  EXPECT_EQ(done.err, "");
  const nlohmann::json json = done.json();
  ASSERT_TRUE(json.is_object()) << done.out;

  // First the logs, as the parts wrote them.
  const std::vector<nlohmann::json> refusals = refusals_in(wanted.log);
  ASSERT_EQ(refusals.size(), 1U) << kept(wanted.log);
  EXPECT_EQ(refusals[0]["code"], wanted.code);
  const nlohmann::json guest = nlohmann::json::parse(kept("attest-guest.json"), nullptr, false);
  EXPECT_EQ(guest["exit"], wanted.guest_exit) << guest;
  EXPECT_EQ(guest["code"], wanted.guest_code);
  EXPECT_EQ(guest["secret"], nullptr);

  // Then what attestbed makes of them.
  EXPECT_EQ(json["exit"], 1);
  const nlohmann::json& shown = json["guests"][0];
  EXPECT_EQ(shown["exit"], wanted.guest_exit);
  EXPECT_EQ(shown["code"], wanted.guest_code);
  EXPECT_EQ(shown["outcome"], wanted.guest_exit == 1 ? "refused" : "failed");
  EXPECT_FALSE(shown["reason"].get<std::string>().empty());
  EXPECT_TRUE(shown["phases"].is_array());
  const nlohmann::json& verdict = json["break"];
  EXPECT_EQ(verdict["what"], wanted.what);
  EXPECT_EQ(verdict["found_code"], wanted.code) << verdict;
  EXPECT_EQ(verdict["expected_code"], wanted.code);
  EXPECT_EQ(verdict["found_exit"], wanted.guest_exit);
  EXPECT_EQ(verdict["met"], true) << verdict;
  EXPECT_FALSE(verdict["log"].empty());

  // Every log that knows the attestation has the same name for it: the guest's, or, where its challenge was changed on
  // the way, the host's, which the relay's log joins to it.
  const std::string host_name = shown["host_attestation"].is_string() ? shown["host_attestation"].get<std::string>()
                                : shown["attestation"].is_string()    ? shown["attestation"].get<std::string>()
                                                                      : "";
  const bool had_challenge = std::string_view(wanted.log) != "attest-proxy.log";
  if (had_challenge) {
    ASSERT_EQ(host_name.size(), 16U) << shown;
    for (const char* log : {"mock-kbs.log", "attest-proxy.log"}) {
      EXPECT_NE(kept(log).find(host_name), std::string::npos) << log << " lacks " << host_name;
    }
  }
  // Without a challenge the guest prints the name that the proxy's log has for the attempt.
  if (!had_challenge) {
    const std::string session = "session " + refusals[0]["session"].dump() + ": ";
    EXPECT_TRUE(guest["detail"].get<std::string>().starts_with(session)) << guest << " lacks " << session;
  }
  if (shown["host_attestation"].is_string()) {
    EXPECT_NE(kept("relay.log").find(host_name), std::string::npos);
    if (shown["attestation"].is_string()) {
      EXPECT_NE(kept("relay.log").find(shown["attestation"].get<std::string>()), std::string::npos);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Every, RunBreak,
    testing::Values(BreakCase{"measurement", "mock-kbs.log", "measurement_unknown", 1, "attestation_refused"},
                    BreakCase{"nonce", "mock-kbs.log", "report_data_mismatch", 1, "attestation_refused"},
                    BreakCase{"key", "mock-kbs.log", "report_data_mismatch", 1, "attestation_refused"},
                    BreakCase{"signature", "mock-kbs.log", "signature_invalid", 1, "attestation_refused"},
                    BreakCase{"policy", "mock-kbs.log", "debug_enabled", 1, "attestation_refused"},
                    BreakCase{"vmpl", "mock-kbs.log", "vmpl_too_high", 1, "attestation_refused"},
                    BreakCase{"secret", "attest-guest.json", "tag_failed", 5, "tag_failed"},
                    BreakCase{"params", "attest-guest.json", "host_chosen_params", 5, "host_chosen_params"},
                    BreakCase{"firmware", "attest-guest.json", "firmware_busy", 4, "firmware_busy"},
                    BreakCase{"kbs-down", "attest-proxy.log", "broker_unreachable", 3, "broker_unreachable"},
                    BreakCase{"proxy-dies", "attest-guest.json", "closed", 3, "closed"},
                    BreakCase{"timeout", "attest-proxy.log", "broker_timeout", 3, "broker_timeout"}),
    [](const auto& test) {
      std::string name = test.param.what;
      std::erase(name, '-');
      return name;
    });

TEST_F(RunScenarios, ThePartsOfABreakAreOrdinaryPrograms) {
  const Finished done = run("attestbed", {"run", "--break", "nonce", "--timeout", "30", "--keep", file("kept")});
  EXPECT_EQ(done.exit.text(), "exit 1") << done.err;
  for (const char* said : {"something is broken: nonce", "noticed by   the broker, as expected: report_data_mismatch",
                           "  relay: {", "  mock-kbs: {", "  attest-proxy: {", "  attest-guest: refused"}) {
    EXPECT_NE(done.out.find(said), std::string::npos) << said << " in\n" << done.out;
  }
  // The proxy names what it sees and asks the broker all the same.
  EXPECT_NE(kept("attest-proxy.log").find(R"("event":"mismatch")"), std::string::npos);
  for (const char* log : {"mock-kbs.log", "attest-proxy.log", "snp-sim.log"}) {
    EXPECT_EQ(kept(log).find("break"), std::string::npos) << log;
  }
}

TEST_F(RunScenarios, TheListOfBreaksStartsNothing) {
  const Finished done = run("attestbed", {"run", "--break", "list"});
  EXPECT_EQ(done.exit.text(), "exit 0");
  for (const char* said : {"proxy-dies", "signature_invalid", "attest-guest exits 5"}) {
    EXPECT_NE(done.out.find(said), std::string::npos) << said;
  }
}

TEST_F(RunScenarios, EightGuestsAtOnceAreAllReleased) {
  const Finished done = run("attestbed", {"run", "--guests", "8", "--json", "--keep", file("kept")});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err << done.out;
  const nlohmann::json json = done.json();
  EXPECT_EQ(json["summary"]["guests"], 8);
  EXPECT_EQ(json["summary"]["released"], 8);
  EXPECT_EQ(json["summary"]["refused"], 0);
  EXPECT_EQ(json["summary"]["failed"], 0);
  EXPECT_GT(json["summary"]["wall_ms"], 0);
  EXPECT_EQ(json["transport"], "unix");
  EXPECT_EQ(json["break"], nullptr);
  ASSERT_EQ(json["guests"].size(), 8U);
  std::set<std::string> attestations;
  for (std::size_t i = 0; i < 8; ++i) {
    const nlohmann::json& guest = json["guests"][i];
    EXPECT_EQ(guest["guest"], i + 1);
    EXPECT_EQ(guest["outcome"], "released");
    EXPECT_EQ(guest["exit"], 0);
    EXPECT_EQ(guest["code"], nullptr);
    EXPECT_EQ(guest["phases"].size(), 6U);
    EXPECT_EQ(guest["calls"].size(), 3U) << "joined by id, not by order";
    EXPECT_EQ(guest["report"]["report_data"], guest["report_data"]);
    attestations.insert(guest["attestation"]);
  }
  EXPECT_EQ(attestations.size(), 8U);
  for (const char* name : {"attest-guest-001.json", "attest-guest-008.json", "report-008.bin", "mock-kbs.log"}) {
    EXPECT_FALSE(kept(name).empty()) << name;
  }
}

TEST_F(RunScenarios, ManyGuestsAreATable) {
  const Finished done = run("attestbed", {"run", "--guests", "3"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  EXPECT_NE(done.out.find("3 guests at once"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("3 released, 0 refused, 0 failed in "), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find("NegotiationRequest"), std::string::npos) << "no drawings";
  EXPECT_EQ(done.err, "") << "progress is for terminals";
}

/// The real parts, and guests that never end.
class RunStopped : public RunScenarios, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(RunStopped, SigtermEndsGuestsPartsAndFiles) {
  fs::create_directory(file("bin"));
  fs::copy_file(ATTESTBED, file("bin/attestbed"));
  for (const char* part : {SNP_SIM, MOCK_KBS, ATTEST_PROXY}) {
    fs::create_symlink(part, fs::path(file("bin")) / fs::path(part).filename());
  }
  ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
  // Flags may change their order; the firmware's socket is in the scratch directory, whatever the line is.
  write("bin/attest-guest", "#!/bin/sh\nwhile [ $1 != --firmware ]; do shift; done; echo ${2#unix:} >" + file("fifo") +
                                "; exec sleep 1000\n");
  fs::permissions(file("bin/attest-guest"), fs::perms::owner_all);
  std::vector<std::string> args = {"run", "--json"};
  args.insert(args.end(), GetParam().begin(), GetParam().end());
  launch::Child& attestbed = start(file("bin/attestbed"), args);
  const std::string scratch = fs::path(read(file("fifo")).value_or("")).parent_path();  // blocks until a guest runs
  ASSERT_TRUE(fs::exists(scratch)) << scratch;
  EXPECT_GE(users_of(scratch), 2) << "firmware and broker at least: a serial proxy names no file of it";
  ::kill(attestbed.pid(), SIGTERM);
  const Finished done = finish(attestbed);
  EXPECT_EQ(done.exit.text(), "exit 3");
  EXPECT_EQ(done.out, "");
  EXPECT_NE(done.err.find("stopped by a signal"), std::string::npos) << done.err;
  EXPECT_FALSE(fs::exists(scratch));
  EXPECT_EQ(users_of(scratch), 0);
}

INSTANTIATE_TEST_SUITE_P(Runs, RunStopped,
                         testing::Values(std::vector<std::string>{"--guests", "1"},
                                         std::vector<std::string>{"--break", "nonce"},
                                         std::vector<std::string>{"--transport", "pty"}));

TEST_F(RunScenarios, SerialLinesCarryGuestsToo) {
  const Finished done = run("attestbed", {"run", "--transport", "pty", "--guests", "3", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err << done.out;
  EXPECT_EQ(done.json()["summary"]["released"], 3);
  EXPECT_EQ(done.json()["transport"], "pty");
  EXPECT_NE(done.json()["parts"][2]["ready"].get<std::string>().find("serial:/dev/pts/"), std::string::npos);
}

TEST_F(RunScenarios, UartsCarryGuestsAndCount) {
  const Finished done = run("attestbed", {"run", "--transport", "uart", "--guests", "2", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err << done.out;
  EXPECT_EQ(done.json()["transport"], "uart");
  const nlohmann::json result = done.json();
  EXPECT_NE(result["parts"][2]["ready"].get<std::string>().find("unix-serial:/"), std::string::npos);
  for (const auto& guest : result["guests"]) {
    EXPECT_EQ(guest["outcome"], "released");
    EXPECT_GT(guest["uart"]["intercepted"], 0);
    EXPECT_LT(guest["uart"]["intercepted"], guest["uart"]["octets"]) << "bursts, not octets";
    EXPECT_EQ(guest["uart"]["tx_overruns"], 0);
    EXPECT_EQ(guest["uart"]["rx_overruns"], 0);
  }
}

TEST_F(RunScenarios, ManInTheMiddleOfAUartIsNoticed) {
  const Finished done = run("attestbed", {"run", "--transport", "uart", "--break", "secret", "--json"});
  EXPECT_EQ(done.exit.text(), "exit 1") << done.err;
  EXPECT_EQ(done.json()["break"]["met"], true) << done.out;
}

class BreakOnSerialLine : public RunScenarios, public testing::WithParamInterface<const char*> {};

// One break of each kind: in transit, without a challenge, with a dead proxy.
TEST_P(BreakOnSerialLine, IsNoticedAsOnASocket) {
  const Finished done = run("attestbed", {"run", "--transport", "pty", "--break", GetParam(), "--json"});
  EXPECT_EQ(done.exit.text(), "exit 1") << done.err;
  EXPECT_EQ(done.json()["break"]["met"], true) << done.out;
}

INSTANTIATE_TEST_SUITE_P(Kinds, BreakOnSerialLine, testing::Values("nonce", "kbs-down", "proxy-dies"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

struct UsageCase {
  const char* name;
  std::vector<std::string> args;
  const char* says;
};

class RunScenarioUsage : public RunScenarios, public testing::WithParamInterface<UsageCase> {};

TEST_P(RunScenarioUsage, ExitsTwoAndSaysWhy) {
  const Finished done = run("attestbed", GetParam().args);
  EXPECT_EQ(done.exit.text(), "exit 2") << done.out << done.err;
  EXPECT_EQ(done.out, "");
  EXPECT_NE(done.err.find(GetParam().says), std::string::npos) << done.err;
}

INSTANTIATE_TEST_SUITE_P(
    Flags, RunScenarioUsage,
    testing::Values(UsageCase{"NoGuest", {"run", "--guests", "0"}, "--guests"},
                    UsageCase{"TooManyGuests", {"run", "--guests", "257"}, "--guests"},
                    UsageCase{"GuestsIsNoNumber", {"run", "--guests", "many"}, "--guests"},
                    UsageCase{"UnknownBreak", {"run", "--break", "everything"}, "measurement nonce key signature"},
                    UsageCase{"BreakOfMany", {"run", "--break", "key", "--guests", "2"}, "one guest"},
                    UsageCase{"TooManySerialLines", {"run", "--transport", "pty", "--guests", "65"}, "at most 64"},
                    UsageCase{"UartHasNoEnd", {"run", "--transport", "uart", "--break", "proxy-dies"}, "far end"},
                    UsageCase{"UnknownTransport", {"run", "--transport", "pigeon"}, "--transport"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace attestbed::programs
