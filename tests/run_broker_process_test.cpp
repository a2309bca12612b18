// SPDX-License-Identifier: Apache-2.0
// attestbed run with every pair of binding and key, under TLS, and with a broker that does something wrong.
#include "tests/programs.h"

namespace attestbed::programs {
namespace {

struct Pair {
  const char* name;
  const char* binding;
  const char* key;
};

class EveryPair : public ProgramTest, public testing::WithParamInterface<std::tuple<Pair, const char*>> {};

TEST_P(EveryPair, IsReleasedOnEveryLine) {
  const auto& [pair, line] = GetParam();
  const Finished done =
      run("attestbed", {"run", "--json", "--binding", pair.binding, "--key", pair.key, "--transport", line});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.out << done.err;
  const nlohmann::json json = done.json();
  EXPECT_EQ(json["binding"], pair.binding);
  EXPECT_EQ(json["key"], pair.key);
  EXPECT_EQ(json["guests"][0]["outcome"], "released");
  EXPECT_EQ(json["guests"][0]["secret"]["octets"], 12);
  // SHA-384 leaves the last 16 of 64 octets zero (docs/protocol.md, bindings).
  const std::string report_data = json["guests"][0]["report"]["report_data"];
  ASSERT_EQ(report_data.size(), 128U);
  EXPECT_EQ(report_data.substr(96) == std::string(32, '0'), pair.binding == std::string("kbs-sha384"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, EveryPair,
    testing::Combine(testing::Values(Pair{"SvsmP521", "svsm-sha512", "P-521"}, Pair{"KbsP521", "kbs-sha384", "P-521"},
                                     Pair{"KbsP256", "kbs-sha384", "P-256"},
                                     Pair{"KbsRsa3072", "kbs-sha384", "RSA-3072"}),
                     testing::Values("unix", "pty", "uart")),
    [](const auto& test) { return std::string(std::get<0>(test.param).name) + "_" + std::get<1>(test.param); });

class KeySearch : public ProgramTest {};

// How the guest's lines begin; what the rest says depends on luck.
constexpr const char* kSearch = "attestbed run: creating an RSA-3072 key: about 1000 numbers are tried";

TEST_F(KeySearch, OfOneGuestIsShownWhileItLasts) {
  for (const char* line : {"unix", "uart"}) {
    const Finished done =
        run("attestbed", {"run", "--json", "--binding", "kbs-sha384", "--key", "RSA-3072", "--transport", line});
    ASSERT_EQ(done.exit.text(), "exit 0") << done.out << done.err;
    EXPECT_TRUE(done.err.starts_with(kSearch)) << line << ": " << done.err;
    EXPECT_TRUE(done.json()["guests"][0]["words"].is_null()) << "a search is no complaint";
  }
}

TEST_F(KeySearch, OfSeveralGuestsIsNotMixed) {
  const Finished done =
      run("attestbed", {"run", "--json", "--binding", "kbs-sha384", "--key", "RSA-3072", "--guests", "2"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.out << done.err;
  EXPECT_EQ(done.err, "");
}

TEST_F(KeySearch, DoesNotHideWhyAGuestFailed) {
  const Finished done =
      run("attestbed", {"run", "--json", "--binding", "kbs-sha384", "--key", "RSA-3072", "--break", "measurement"});
  ASSERT_EQ(done.exit.text(), "exit 1") << done.out << done.err;
  EXPECT_NE(done.json()["guests"][0]["words"].get<std::string>().find("attestation_refused"), std::string::npos);
}

class NoPair : public ProgramTest, public testing::WithParamInterface<Pair> {};

TEST_P(NoPair, ExitsTwoAndSaysWhichPairsExist) {
  const Finished done = run("attestbed", {"run", "--binding", GetParam().binding, "--key", GetParam().key});
  EXPECT_EQ(done.exit.text(), "exit 2") << done.out << done.err;
  EXPECT_EQ(done.out, "");
  for (const char* word : {"svsm-sha512", "kbs-sha384", "P-521", "P-256", "RSA-3072"}) {
    EXPECT_NE(done.err.find(word), std::string::npos) << word << " is not in: " << done.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, NoPair,
                         testing::Values(Pair{"P256", "svsm-sha512", "P-256"},
                                         Pair{"Rsa3072", "svsm-sha512", "RSA-3072"}),
                         [](const auto& test) { return test.param.name; });

class BrokerOfARun : public ProgramTest {};

TEST_F(BrokerOfARun, SpeaksTlsUnderItsOwnCa) {
  const Finished done = run("attestbed", {"run", "--json", "--tls"});
  ASSERT_EQ(done.exit.text(), "exit 0") << done.err;
  const nlohmann::json json = done.json();
  EXPECT_EQ(json["tls"], true);
  bool named = false;
  for (const auto& part : json["parts"]) {
    named = named || part["ready"].get<std::string>().starts_with("ready https://127.0.0.1:");
  }
  EXPECT_TRUE(named) << json["parts"];
}

TEST_F(BrokerOfARun, DoesWrongWhatItIsTold) {
  const Finished done = run("attestbed", {"run", "--tls", "--fault", "resource:1:truncate", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 1") << done.out << done.err;
  const nlohmann::json guest = done.json()["guests"][0];
  EXPECT_EQ(guest["outcome"], "failed");
  EXPECT_EQ(guest["code"], "broker_malformed");
  EXPECT_EQ(done.json()["faults"], nlohmann::json::array({"resource:1:truncate"}));
  EXPECT_EQ(done.json()["faults_applied"][0]["applied"], 1);
  EXPECT_EQ(guest["calls"][2]["fault"], "resource:1:truncate");
}

// A fault whose turn never comes, one that finds nothing to break, and one for keys of another type.
TEST_F(BrokerOfARun, EndsWithThreeIfAFaultNeverHappened) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--fault", "resource:5:truncate"},
        {"--fault", "attest:1:replay"},
        {"--fault", "resource:1:jwe-cek-16", "--binding", "kbs-sha384", "--key", "RSA-3072"}}) {
    std::vector<std::string> args = {"run"};
    args.insert(args.end(), flags.begin(), flags.end());
    const Finished done = run("attestbed", args);
    EXPECT_EQ(done.exit.text(), "exit 3") << flags[1] << done.out << done.err;
    EXPECT_NE(done.err.find("DID NOT HAPPEN: --fault " + flags[1]), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("released: 12 octets"), std::string::npos) << done.out;
  }
}

TEST_F(BrokerOfARun, EndsAConnectionBeforeAWord) {
  const Finished done = run("attestbed", {"run", "--fault", "connection:1:close", "--json"});
  EXPECT_EQ(done.json()["faults_applied"][0]["applied"], 1) << done.out << done.err;
}

TEST_F(BrokerOfARun, DoesItOnceAndServesTheNextGuest) {
  const Finished done = run("attestbed", {"run", "--guests", "2", "--fault", "auth:1:500", "--json"});
  ASSERT_EQ(done.exit.text(), "exit 1") << done.out << done.err;
  EXPECT_EQ(done.json()["summary"]["released"], 1);
}

// What makes a broker slow, before its answer and within it. Both at once: each takes the proxy's whole time.
TEST_F(BrokerOfARun, IsCalledSlowBeforeTheGuestsOwnDeadline) {
  std::vector<launch::Child*> runs;
  for (const char* fault : {"auth:1:delay:120000", "resource:1:trickle:1000"}) {
    runs.push_back(&start("attestbed", {"run", "--fault", fault, "--timeout", "16", "--json"}));
  }
  for (launch::Child* child : runs) {
    const Finished done = finish(*child);
    EXPECT_EQ(done.exit.text(), "exit 1") << done.out << done.err;
    const nlohmann::json json = done.json();
    EXPECT_EQ(json["guests"][0]["code"], "broker_timeout") << json["faults"];
    EXPECT_EQ(json["faults_applied"][0]["applied"], 1) << json["faults"];
  }
}

struct Mistake {
  const char* name;
  std::vector<std::string> args;
  const char* says;
};
class FaultMistakes : public ProgramTest, public testing::WithParamInterface<Mistake> {};

TEST_P(FaultMistakes, ExitTwoAndSayWhy) {
  const Finished done = run("attestbed", GetParam().args);
  EXPECT_EQ(done.exit.text(), "exit 2") << done.out << done.err;
  EXPECT_NE(done.err.find(GetParam().says), std::string::npos) << done.err;
}

INSTANTIATE_TEST_SUITE_P(
    Table, FaultMistakes,
    testing::Values(
        Mistake{"Endpoint", {"run", "--fault", "everywhere:1:500"}, "--fault everywhere:1:500"},
        Mistake{"Number", {"run", "--fault", "auth:0:500"}, "--fault auth:0:500"},
        Mistake{"Kind", {"run", "--fault", "auth:1:sabotage"}, "--fault list"},
        Mistake{"NoBroker", {"run", "--tls", "--break", "kbs-down"}, "--break kbs-down"},
        Mistake{"KeyOfAnotherType", {"run", "--binding", "kbs-sha384", "--key", "P-256", "--break", "key"}, "P-521"}),
    [](const auto& test) { return test.param.name; });

TEST_F(BrokerOfARun, ListsWhatCanGoWrong) {
  const Finished done = run("attestbed", {"run", "--fault", "list"});
  EXPECT_EQ(done.exit.text(), "exit 0") << done.err;
  EXPECT_NE(done.out.find("truncate"), std::string::npos) << done.out;
}

}  // namespace
}  // namespace attestbed::programs
