// SPDX-License-Identifier: Apache-2.0
// Everything that mock-kbs can be told to do wrong, against a real proxy and real guests: the guest ends with the code
// of the table before its deadline, the next guest of the same proxy is served, and no log holds a secret, token or
// cookie.
#include "tests/programs.h"

namespace attestbed::programs {
namespace {

constexpr const char* kReleased = "";

/// Row is one fault.
///   kind      as mock-kbs takes it after ENDPOINT:N:
///   code      what the guest ends with
///   requests  how many requests to the endpoint the attempt makes
struct Row {
  const char* kind;
  const char* code;
  int requests = 1;
};

struct Table {
  const char* endpoint;
  std::vector<Row> rows;
};
std::ostream& operator<<(std::ostream& out, const Table& table) {
  return out << table.endpoint;
}

// Statuses and bodies that are wrong in the same way wherever they come.
std::vector<Row> with_common(const char* refused, const char* too_large, std::vector<Row> rows) {
  for (const char* kind : {"405", "413", "redirect-host", "redirect-file", "empty", "html", "truncate", "trailing",
                           "garbage", "long-body", "member-missing", "member-duplicate", "member-null"}) {
    rows.push_back({kind, "broker_malformed"});
  }
  for (const char* kind : {"429", "429:1", "500", "502", "503", "503:1", "504"}) {
    rows.push_back({kind, "broker_unavailable"});
  }
  for (const char* kind : {"reset", "short-body"}) rows.push_back({kind, "broker_unreachable"});
  for (const char* kind : {"chunked", "member-unknown"}) rows.push_back({kind, kReleased});
  rows.push_back({"417", refused});
  rows.push_back({"oversize", too_large});
  return rows;
}

std::vector<Table> tables() {
  return {
      {"auth", with_common("broker_version", "broker_malformed",
                           {{"401", "broker_version"},
                            {"404", "broker_malformed"},
                            {"version", "broker_version"},
                            {"version:0.5.0", "broker_version"},
                            {"close", "broker_unreachable"},
                            {"nonce-empty", "broker_nonce"},
                            {"nonce-short", "broker_nonce"},
                            {"nonce-huge", "broker_malformed"},
                            {"nonce-url", "broker_nonce"},
                            {"nonce-unpadded", "broker_nonce"},
                            {"nonce-repeated", "attestation_refused"},
                            {"cookie-missing", "attestation_refused"},
                            {"cookie-changed", "attestation_refused"},
                            {"cookie-expired", "session_expired"},
                            {"cookie-path", "attestation_refused"},
                            {"cookie-domain", "attestation_refused"},
                            {"replay", "attestation_refused"},
                            {"delay:60000", "broker_timeout"}})},
      // Of a session that ended early a KBS says no more than of evidence that it refuses.
      {"attest", with_common("attestation_refused", "broker_malformed",
                             {{"401", "attestation_refused"},
                              {"404", "broker_malformed"},
                              {"close", "broker_unreachable"},
                              {"session-expired", "attestation_refused"},
                              {"cookie-missing", kReleased},
                              {"cookie-changed", kReleased},
                              {"cookie-expired", kReleased},
                              {"token-text", "broker_malformed"},
                              {"token-huge", "broker_malformed"},
                              {"token-expired", kReleased},
                              {"token-alg-none", kReleased},
                              {"replay", "unwrap_failed"},
                              {"stall:60000", "broker_timeout"}})},
      // TokenNotFound is answered with the token, and a kept connection that closes with a new one.
      {"resource", with_common("secret_refused", "secret_too_large",
                               {{"401", kReleased, 2},
                                {"401:PolicyDeny", "secret_refused"},
                                {"401:PluginInternalError", "secret_refused"},
                                {"404", "secret_refused"},
                                {"close", kReleased, 2},
                                {"session-expired", kReleased, 2},
                                {"jwe-tag", "tag_failed"},
                                {"jwe-ciphertext", "tag_failed"},
                                {"jwe-header-order", kReleased},
                                {"jwe-header-spaces", kReleased},
                                {"jwe-epk-off-curve", "bad_point"},
                                {"jwe-epk-p256", "broker_malformed"},
                                {"jwe-epk-short", "broker_malformed"},
                                {"jwe-key-short", "broker_malformed"},
                                {"jwe-key-long", "broker_malformed"},
                                {"jwe-cek-16", "broker_malformed"},
                                {"jwe-iv-11", "broker_malformed"},
                                {"jwe-iv-16", "broker_malformed"},
                                {"jwe-aad", "broker_malformed"},
                                {"jwe-apu", "jwe_header"},
                                {"jwe-apv", "jwe_header"},
                                {"jwe-alg-rsa", "broker_malformed"},
                                {"jwe-other-key", "unwrap_failed"},
                                {"replay", "unwrap_failed"},
                                {"secret-other-guest", kReleased},  // only a signature of the owner's could tell
                                {"secret:0", "empty_secret"},
                                {"secret:1", kReleased},
                                {"secret:32768", kReleased},
                                {"secret:32769", "secret_too_large"},
                                {"secret:2097152", "secret_too_large"},
                                {"trickle:1000", "broker_timeout"}})},
  };
}

class FaultTable : public ProgramTest, public testing::WithParamInterface<Table> {
 protected:
  // The flags for a fault in every other attempt, the first and all those between being honest.
  std::vector<std::string> faults() const {
    std::vector<std::string> flags;
    int request = 2;
    for (const Row& row : GetParam().rows) {
      flags.insert(flags.end(),
                   {"--fault", std::string(GetParam().endpoint) + ":" + std::to_string(request) + ":" + row.kind});
      request += row.requests + 1;
    }
    return flags;
  }

  void start_faulty_broker() {
    write("secret", kSecretText);
    std::vector<std::string> flags = faults();
    flags.insert(flags.begin(), {"--listen", "127.0.0.1:0", "--root", file("certs/ark.pem"), "--certs", file("certs"),
                                 "--measurement", measurement_, "--secret-file", file("secret")});
    url_ = start_ready("mock-kbs", flags);
  }

  std::string code_of_a_guest() {
    const Finished ended = guest();
    const nlohmann::json result = ended.json();
    return result.is_object() ? result.value("code", std::string(kReleased)) : "no result: " + ended.err;
  }
};
INSTANTIATE_TEST_SUITE_P(Every, FaultTable, testing::ValuesIn(tables()),
                         [](const auto& one) { return one.param.endpoint; });

TEST_P(FaultTable, EndsOneGuestWithItsCodeAndNoOther) {
  start_machine();
  start_faulty_broker();
  start_ready("attest-proxy", {"--url", url_, "--protocol", "kbs", "--unix", file("proxy.sock"), "--timeout", "8"});
  ASSERT_EQ(code_of_a_guest(), kReleased) << child("attest-proxy").err().text();
  for (const Row& row : GetParam().rows) {
    EXPECT_EQ(code_of_a_guest(), row.code) << row.kind;
    ASSERT_EQ(code_of_a_guest(), kReleased) << "the guest after " << row.kind;
  }
  for (const char* program : {"attest-proxy", "mock-kbs"}) {
    const std::string log = child(program).err().text();
    EXPECT_GT(log.size(), 1000U);
    for (const char* unwanted : {kSecretText, kSecretDigest, "eyJ", "kbs-session-id=", "Bearer ", "PRIVATE KEY"}) {
      EXPECT_EQ(log.find(unwanted), std::string::npos) << program << " logs " << unwanted;
    }
  }
}

}  // namespace
}  // namespace attestbed::programs
