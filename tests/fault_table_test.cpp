// SPDX-License-Identifier: Apache-2.0
// Every kind of fault that mock-kbs lists, at one endpoint or more, against a real proxy and real guests: by the
// broker's own log it happened, the guest ends with the code of the table before its deadline, the next guest of the
// same proxy is served, and nothing that any of these programs says holds a secret, token or cookie.
#include <map>
#include <set>
#include <sstream>

#include "core/crypto/sha2.h"
#include "core/posix/describe.h"
#include "tests/programs.h"
#include "tests/tapped_wire.h"

namespace attestbed::programs {
namespace {

constexpr const char* kReleased = "";

// What to look for, and what is said about it if it is found.
using Unwanted = std::vector<std::pair<std::string, std::string>>;

// The secret in the forms in which it could slip into a log. The guests' private keys never leave their processes, so
// no test has them to look for; PRIVATE KEY would be a PEM file of the broker's.
Unwanted secrets() {
  return {{kSecretText, "the secret"},
          {"Y29ycmVjdCBob3JzZSBi", "the secret in base64"},
          {"636f727265637420686f727365", "the secret in hexadecimal"},
          {kSecretDigest, "the secret's digest"},
          {"eyJ", "the head of a token or of a JWE"},
          {"Bearer ", "an Authorization header"},
          {"PRIVATE KEY", "a private key"}};
}

// What stands in `text` between `before` and `after`, each time.
std::vector<std::string> all_between(const std::string& text, const std::string& before, char after) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find(before, at)) != std::string::npos;) {
    at += before.size();
    found.push_back(text.substr(at, text.find_first_of(std::string{after, '\r', '\n'}, at) - at));
  }
  return found;
}

// Cookies and tokens as the broker really gave them. A log may cut them: of a token, whose head is that of every other
// one, a piece of its claims and the end of its signature.
std::vector<std::string> cookies_in(const std::string& answers) {
  return all_between(answers, "Set-Cookie: kbs-session-id=", ';');
}
Unwanted credentials_in(const std::string& answers) {
  Unwanted unwanted;
  for (const std::string& cookie : cookies_in(answers)) unwanted.emplace_back(cookie.substr(0, 16), "a session cookie");
  for (const std::string& token : all_between(answers, R"("token":")", '"')) {
    if (token.size() < 200) continue;  // "token-text" and halves
    unwanted.emplace_back(token.substr(token.size() / 2, 24), "the middle of a token");
    unwanted.emplace_back(token.substr(token.size() - 24), "the end of a token");
  }
  return unwanted;
}

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
                              {"cookie-path", kReleased},
                              {"cookie-domain", kReleased},
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

class FaultTest : public ProgramTest {
 protected:
  void start_faulty_broker(const std::vector<std::string>& faults) {
    write("secret", kSecretText);
    std::vector<std::string> flags = {"--listen",      "127.0.0.1:0", "--root",        file("certs/ark.pem"),
                                      "--certs",       file("certs"), "--log-level",   "debug",
                                      "--measurement", measurement_,  "--secret-file", file("secret")};
    for (const std::string& fault : faults) flags.insert(flags.end(), {"--fault", fault});
    url_ = start_ready("mock-kbs", flags);
  }

  void start_talkative_proxy(const std::string& url) {
    start_ready("attest-proxy", {"--url", url, "--protocol", "kbs", "--unix", file("proxy.sock"), "--timeout", "8",
                                 "--log-level", "debug"});
  }

  std::string code_of_a_guest() {
    const Finished ended = guest();
    said_by_guests_ += ended.out + ended.err;
    const nlohmann::json result = ended.json();
    return result.is_object() ? result.value("code", std::string(kReleased)) : "no result: " + ended.err;
  }

  /// faults_of_the_broker ends the broker and returns what its log says that it did wrong, in that order.
  std::vector<std::string> faults_of_the_broker() {
    children_->end(child("mock-kbs"));
    std::vector<std::string> faults;
    for (const nlohmann::json& event : events("mock-kbs", "request")) {
      if (event.contains("fault")) faults.push_back(event["fault"]);
      EXPECT_FALSE(event.contains("fault_skipped")) << event;
    }
    return faults;
  }

  void expect_nowhere(const Unwanted& unwanted) {
    std::map<std::string, std::string> said = {{"attest-guest", said_by_guests_}};
    for (const char* program : {"attest-proxy", "mock-kbs", "snp-sim"}) {
      children_->end(child(program));
      said[program] = child(program).out().text() + child(program).err().text();
    }
    for (const auto& [program, text] : said) {
      EXPECT_FALSE(text.empty()) << program;
      for (const auto& [what, name] : unwanted) {
        EXPECT_EQ(text.find(what), std::string::npos) << program << " says " << name << ": " << what;
      }
    }
  }

  std::string said_by_guests_;
};

class FaultTable : public FaultTest, public testing::WithParamInterface<Table> {
 protected:
  // A fault in every other attempt, the first and all those between being honest.
  std::vector<std::string> faults() const {
    std::vector<std::string> faults;
    int request = 2;
    for (const Row& row : GetParam().rows) {
      faults.push_back(std::string(GetParam().endpoint) + ":" + std::to_string(request) + ":" + row.kind);
      request += row.requests + 1;
    }
    return faults;
  }
};
INSTANTIATE_TEST_SUITE_P(Every, FaultTable, testing::ValuesIn(tables()),
                         [](const auto& one) { return one.param.endpoint; });

TEST_P(FaultTable, EndsOneGuestWithItsCodeAndNoOther) {
  start_machine();
  start_faulty_broker(faults());
  const TappedWire wire(static_cast<std::uint16_t>(std::stoul(url_.substr(url_.rfind(':') + 1))));
  start_talkative_proxy("http://127.0.0.1:" + std::to_string(wire.port()));
  ASSERT_EQ(code_of_a_guest(), kReleased) << child("attest-proxy").err().text();
  for (const Row& row : GetParam().rows) {
    EXPECT_EQ(code_of_a_guest(), row.code) << row.kind;
    ASSERT_EQ(code_of_a_guest(), kReleased) << "the guest after " << row.kind;
  }
  EXPECT_EQ(faults_of_the_broker(), faults());

  const std::string answers = wire.answers();
  const std::vector<std::string> cookies = cookies_in(answers);
  ASSERT_GT(cookies.size(), GetParam().rows.size()) << "one at least of each honest guest";
  const auto digest = crypto::sha256({bytes_of(cookies.front())});
  ASSERT_TRUE(digest);
  const std::string name = posix::to_hex(*digest).substr(0, 16);
  for (const char* program : {"attest-proxy", "mock-kbs"}) {
    EXPECT_NE(child(program).err().text().find(name), std::string::npos)
        << program << " names this session, of which the cookie is " << cookies.front();
  }
  const Unwanted credentials = credentials_in(answers);
  ASSERT_GT(credentials.size(), cookies.size() + GetParam().rows.size());
  expect_nowhere(credentials);
  expect_nowhere(secrets());
}

/// Broken are faults of connections, whom a wire between would hide. Two connections in a row are ended: if the first
/// ends so early that the call provably never left, the proxy makes it once more.
struct Broken {
  const char* name;
  std::vector<std::string> faults;
};
std::vector<Broken> broken_connections() {
  return {{"ClosedAtOnce", {"connection:1:close", "connection:2:close"}},
          {"ResetAtOnce", {"connection:1:reset", "connection:2:reset"}},
          {"ClosedAtTheNextCall", {"connection:2:close", "connection:3:close"}},
          {"RefusedAfterAuth", {"auth:1:refuse:8000"}},
          {"RefusedAfterAttest", {"attest:1:refuse:8000"}}};
}

class BrokenConnection : public FaultTest, public testing::WithParamInterface<Broken> {};
INSTANTIATE_TEST_SUITE_P(Every, BrokenConnection, testing::ValuesIn(broken_connections()),
                         [](const auto& one) { return one.param.name; });

TEST_P(BrokenConnection, EndsOneGuestAndServesTheNextAsSoonAsThereIsABroker) {
  start_machine();
  start_faulty_broker(GetParam().faults);
  start_talkative_proxy(url_);
  EXPECT_EQ(code_of_a_guest(), "broker_unreachable");
  const Deadline until = soon();
  std::string code = code_of_a_guest();
  while (code == "broker_unreachable" && clock_.now() < until) code = code_of_a_guest();
  EXPECT_EQ(code, kReleased);
  EXPECT_EQ(faults_of_the_broker(), GetParam().faults);
  expect_nowhere(secrets());
}

class FaultKinds : public FaultTest {};

TEST_F(FaultKinds, AreAllInATable) {
  const auto kind_of = [](const std::string& text) { return text.substr(0, text.find_first_of(":[ ")); };
  std::set<std::string> tried;
  for (const Table& table : tables()) {
    for (const Row& row : table.rows) tried.insert(kind_of(row.kind));
  }
  for (const Broken& broken : broken_connections()) {
    for (const std::string& fault : broken.faults) {
      tried.insert(kind_of(fault.substr(fault.find(':', fault.find(':') + 1) + 1)));
    }
  }
  std::istringstream list(run("mock-kbs", {"--faults"}).out);
  std::string line;
  std::getline(list, line);
  ASSERT_TRUE(line.starts_with("ENDPOINT")) << line;
  std::size_t kinds = 0;
  for (; std::getline(list, line); ++kinds) EXPECT_TRUE(tried.contains(kind_of(line))) << line;
  EXPECT_GT(kinds, 50U);
}

}  // namespace
}  // namespace attestbed::programs
