// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "proxy/recorded_client.h"
#include "tests/protocol_document.h"

// Annex A of docs/protocol.md says which code a guest is told for which answer of the broker's. Here brokers give those
// answers to the real client, and the code that is wanted is the document's. A row that is worded anew needs a broker.
namespace attestbed::tests {
namespace {

using namespace std::chrono_literals;
using proxy::HttpBroker;
using proxy::RawBroker;
using proxy::RecordedClient;

enum class Call { auth, attest, resource };
constexpr Call kCalls[] = {Call::auth, Call::attest, Call::resource};
constexpr const char* kNames[] = {"auth", "attest", "resource"};
constexpr const char* kLines[] = {"POST /kbs/v0/auth", "POST /kbs/v0/attest",
                                  "GET /kbs/v0/resource/default/sample/test"};

const proxy::VectorCase& recorded() {
  return proxy::vector_case("plain");
}

using Codes = std::vector<std::string>;  // what came of each answer that belongs to a row; "" = served

template <class T>
std::string code_of(const proxy::Outcome<T>& outcome) {
  return outcome ? "" : error_name(outcome.error().code);
}

std::string made(RecordedClient& client, Call call, std::chrono::milliseconds time = 60s) {
  switch (call) {
    case Call::auth:
      return code_of(client.auth(time));
    case Call::attest:
      return code_of(client.attest(protocol::Binding::svsm_sha512, time));
    case Call::resource:
      return code_of(client.resource(time));
  }
  return "no such call";
}

/// reach makes the calls before `call`, which are served.
void reach(RecordedClient& client, Call call) {
  for (const Call before : kCalls) {
    if (before == call) return;
    ASSERT_EQ(made(client, before), "");
  }
}

std::string answered(Call call, const HttpBroker::Answer& answer) {
  HttpBroker broker(recorded());
  broker.answer(kLines[static_cast<int>(call)], answer);
  RecordedClient client(recorded(), broker.url());
  reach(client, call);
  return made(client, call);
}

Codes statuses(Call call, std::initializer_list<int> list, const std::string& body = "{}") {
  Codes codes;
  for (const int status : list) codes.push_back(answered(call, {status, body, {}}));
  return codes;
}

std::string problem(const char* type) {
  return std::string(R"({"type":"https://x/errors/)") + type + R"(","detail":"why"})";
}

// A session whose cookie has an end, which passes before the call that is answered with 401.
std::string after_its_end(Call call) {
  HttpBroker broker(recorded());
  broker.answer(kLines[0],
                {200, recorded().auth_response, {{"Set-Cookie", "kbs-session-id=session1; Path=/; Max-Age=600"}}});
  if (call == Call::resource) broker.answer(kLines[1], {200, recorded().attest_response, {}});
  broker.answer(kLines[static_cast<int>(call)], {401, problem("AttestationError"), {}});
  RecordedClient client(recorded(), broker.url());
  reach(client, call);
  client.advance(601s);
  return made(client, call);
}

std::string raw(const std::vector<std::string>& pieces, RawBroker::Then then, std::chrono::milliseconds time = 60s) {
  RawBroker broker(pieces, then);
  RecordedClient client(recorded(), broker.url());
  return made(client, Call::auth, time);
}

Codes cut_off(Call call) {
  constexpr auto kClose = RawBroker::Then::close;
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  if (call == Call::auth) {
    return {raw({}, kClose), raw({ok, "Content-Le"}, kClose), raw({ok + "Content-Length: 100\r\n\r\n{\"no"}, kClose)};
  }
  auto broker = std::make_unique<HttpBroker>(recorded());
  RecordedClient client(recorded(), broker->url());
  reach(client, call);
  broker.reset();
  return {made(client, call)};
}

Codes too_late(Call call) {
  if (call == Call::auth) return {raw({}, RawBroker::Then::hold, 100ms)};
  HttpBroker broker(recorded());
  RecordedClient client(recorded(), broker.url());
  reach(client, call);
  return {made(client, call, 0ms)};
}

Codes no_http_or_too_much(Call call) {
  Codes codes = {answered(call, {call == Call::resource ? 404 : 200, std::string(262145, ' '), {}}),
                 answered(call, {200, "{}", {{"X-Fill", std::string(32769, 'x')}}})};
  if (call == Call::auth) codes.push_back(raw({"SSH-2.0-OpenSSH_9.2\r\n"}, RawBroker::Then::close));
  return codes;
}

Codes too_large_a_secret(Call call) {
  std::string jwe = recorded().resource_response;
  const std::string before = "\"ciphertext\":\"";
  const std::size_t from = jwe.find(before) + before.size();
  jwe.replace(from, jwe.find('"', from) - from, std::string(43692, 'A'));  // base64url of 32769 octets
  return {answered(call, {200, std::string(262145, ' '), {}}), answered(call, {200, jwe, {}})};
}

Codes with_the_token(Call call) {
  HttpBroker broker(recorded());
  RecordedClient client(recorded(), broker.url());
  reach(client, call);
  broker.expire_sessions();
  std::string code = made(client, call);
  const auto requests = broker.requests();
  const auto& last = requests.back().headers;
  EXPECT_EQ(requests.size(), 4U) << "once more";
  EXPECT_TRUE(last.contains("Authorization") && !last.contains("Cookie"));
  return {code};
}

// The second cell of each row, with what answers so.
const std::map<std::string, Codes (*)(Call)>& brokers() {
  static const std::map<std::string, Codes (*)(Call)> table = {
      {"no connection, name or TLS failure, or cut off while sending, or inside the head or the body of the answer",
       cut_off},
      {"not complete by the deadline", too_late},
      {"no HTTP, or body or head above the bounds, but for the next-to-last row", no_http_or_too_much},
      {"429, 500..599",
       [](Call call) {
         return statuses(call, {429, 500, 503, 599});
       }},
      {"otherwise a body whose first octet that is no white space is `<`, a UTF-8 byte order mark before it or not, "
       "whatever the status",
       [](Call call) {
         Codes codes = statuses(call, {200, 401, 403, 404}, " \n<html></html>");
         for (std::string& code : statuses(call, {200, 401}, "\xef\xbb\xbf<html></html>")) codes.push_back(code);
         return codes;
       }},
      {"417; 401 or 403 with a KBS's `type`",
       [](Call call) {
         Codes codes = statuses(call, {417}, "");
         for (const char* type : {"AttestationError", "/kbs/errors/ProtocolVersion"}) {
           for (std::string& code : statuses(call, {401, 403}, problem(type))) codes.push_back(std::move(code));
         }
         return codes;
       }},
      {"401, 403, 417",
       [](Call call) {
         return statuses(call, {401, 403, 417});
       }},
      {"any other status than 200",
       [](Call call) {
         Codes codes = statuses(call, {201, 204, 302, 400, 405, 418});
         // A gateway's refusal. After auth such a status is a row of its own.
         if (call == Call::auth) {
           for (std::string& code : statuses(call, {401, 403}, problem("Forbidden"))) codes.push_back(std::move(code));
         }
         return codes;
       }},
      {"401 after the end (Max-Age, Expires) that the answer to auth gave the session's cookie",
       [](Call call) { return Codes{after_its_end(call)}; }},
      {"401, and `type` of its JSON body names `TokenNotFound`: once more, without cookie, with `Authorization: "
       "Bearer` and the token",
       with_the_token},
      {"that second time 401 with `TokenNotFound` or `TokenVerifierError`",
       [](Call call) { return statuses(call, {401}, problem("TokenNotFound")); }},
      {"the first time any other 401 after that end", [](Call call) { return Codes{after_its_end(call)}; }},
      {"401, 403, 404, 417 otherwise",
       [](Call call) {
         return statuses(call, {401, 403, 404, 417});
       }},
      {"200 with a body above the bound, or a ciphertext above 32768 octets", too_large_a_secret},
  };
  return table;
}

TEST(BrokerCalls, BecomeTheCodesThatAnnexASays) {
  std::map<std::string, int> used;
  for (const auto& row : protocol_document().table("call").rows) {
    const auto broker = brokers().find(row[1]);
    ASSERT_NE(broker, brokers().end()) << "no broker answers so: " << row[1];
    ++used[row[1]];
    const std::string wanted = row[2].empty() ? "" : code_span(row[2]);
    for (const Call call : kCalls) {
      const char* const name = kNames[static_cast<int>(call)];
      if (row[0] != "any" && row[0] != name) continue;
      for (const std::string& code : broker->second(call)) EXPECT_EQ(code, wanted) << name << ": " << row[1];
    }
  }
  for (const auto& [answer, broker] : brokers()) EXPECT_EQ(used.count(answer), 1U) << "annex A lacks: " << answer;
}

}  // namespace
}  // namespace attestbed::tests
