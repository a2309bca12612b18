// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/attest.h"
#include "core/posix/vsock.h"
#include "core/protocol/guest_line.h"
#include "proxy/draining_lines.h"
#include "proxy/http_client.h"
#include "proxy/kbs_messages.h"
#include "proxy/server.h"
#include "proxy/session.h"
#include "tests/protocol_document.h"

// docs/protocol.md is normative: what its tables say is compared with the code, in both directions where there is a
// list on both sides. The tables of fields are in protocol_fields_test.cpp.
namespace attestbed::tests {
namespace {

using protocol::Binding;
using protocol::KeyType;

const ErrorRow* error_named(std::string_view name) {
  for (const ErrorRow& row : error_rows()) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

std::set<std::string> first_spans(const Table& table) {
  std::set<std::string> names;
  for (const auto& row : table.rows) EXPECT_TRUE(names.insert(code_span(row[0])).second) << row[0] << " stands twice";
  return names;
}

TEST(ProtocolDoc, HasNoTableThatNobodyChecks) {
  const std::set<std::string> checked_here = {"text",     "tee",  "param",  "report field", "term",
                                              "pair",     "code", "number", "opening",      "guest state",
                                              "quantity", "call", "shape"};
  const std::set<std::string> fields = {"frame",  "NegotiationRequest",  "NegotiationResponse", "AttestationRequest",
                                        "header", "AttestationResponse", "broker body"};
  // What only people can judge: directions, events, comparisons.
  const std::set<std::string> prose = {"#", "proxy state", "line", "what", "subject"};
  for (const Table& table : protocol_document().tables) {
    const std::string& name = table.header[0];
    EXPECT_TRUE(checked_here.contains(name) || fields.contains(name) || prose.contains(name))
        << "docs/protocol.md:" << table.line << ": no test knows the table '" << name << "'";
    EXPECT_FALSE(table.rows.empty()) << name;
  }
}

TEST(ProtocolDoc, NamesNoCodeThatDoesNotExist) {
  // Names with an underscore that are no codes: members of messages, and of the vector file.
  const std::set<std::string> others = {
      "wrapped_cek",           "certs_buf",        "encrypted_key", "protocol_doc_test",
      "host_key_substitution", "negative_decrypt", "frame_parsing"};
  for (const std::string& span : code_spans(protocol_document().prose)) {
    const bool word = span.size() > 1 && span.find('_') != span.npos &&
                      span.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == span.npos;
    if (word && !others.contains(span)) {
      EXPECT_NE(error_named(span), nullptr) << span;
    }
  }
  for (const Table& table : protocol_document().tables) {
    if (table.header.back() != "refused with" && table.header.back() != "code for the guest") continue;
    for (const auto& row : table.rows) {
      for (const std::string& code : code_spans(row.back())) EXPECT_NE(error_named(code), nullptr) << code;
    }
  }
}

TEST(ProtocolDoc, ExampleTextsAreRefusedAsItSays) {
  std::set<std::string> seen;
  for (const auto& row : protocol_document().table("text").rows) {
    std::string text = code_span(row[0]);
    const auto request =
        protocol::decode_negotiation_request({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    ASSERT_FALSE(request) << row[0];
    EXPECT_EQ(error_name(request.error().code), code_span(row[1])) << row[0];
    seen.insert(code_span(row[1]));
  }
  for (const char* code : {"bad_json", "trailing_bytes", "json_duplicate", "json_depth", "json_type", "json_missing"}) {
    EXPECT_TRUE(seen.contains(code)) << "no example for " << code;
  }
}

TEST(ProtocolDoc, ListsEveryCodeOnTheWireAndWhetherToTryAgain) {
  const Table& table = protocol_document().table("code");
  const std::set<std::string> listed = first_spans(table);
  for (const ErrorRow& row : error_rows()) EXPECT_EQ(listed.contains(row.name), row.on_wire) << row.name;
  for (const auto& row : table.rows) {
    const ErrorRow* code = error_named(code_span(row[0]));
    ASSERT_NE(code, nullptr) << row[0];
    EXPECT_TRUE(row[1] == "any" || row[1] == "negotiation" || row[1] == "attestation") << row[0];
    EXPECT_EQ(row[3], code->guest_exit == 3 ? "again" : "no") << row[0];
  }
  for (const auto& row : protocol_document().table("call").rows) {
    for (const std::string& code : code_spans(row[2])) EXPECT_TRUE(listed.contains(code)) << code;
  }
}

TEST(ProtocolDoc, ListsEveryTee) {
  const Table& table = protocol_document().table("tee");
  std::size_t i = 0;
  for (const auto& row : table.rows) {
    const auto tee = static_cast<protocol::Tee>(i++);
    EXPECT_EQ(code_span(row[0]), protocol::tee_name(tee));
    EXPECT_EQ(row[1], tee == protocol::Tee::snp ? "yes" : "no");
  }
  EXPECT_EQ(i, static_cast<std::size_t>(protocol::Tee::sampledevice) + 1);
}

TEST(ProtocolDoc, ParamsAreThoseOfTheEncoder) {
  ByteArray<64> nonce{};
  protocol::NegotiationResponse response;
  response.challenge = *protocol::Challenge::make(nonce);
  ByteArray<512> into;
  const auto encoded = protocol::encode_negotiation_response(response, into);
  ASSERT_TRUE(encoded);
  std::vector<std::string> listed;
  for (const auto& row : protocol_document().table("param").rows) listed.push_back(code_span(row[0]));
  EXPECT_EQ(nlohmann::json::parse(text_of(*encoded))["params"].get<std::vector<std::string>>(), listed);
}

TEST(ProtocolDoc, TermsAreThoseOfTheCode) {
  const auto& rows = protocol_document().table("term").rows;
  ASSERT_EQ(rows.size(), 3U);
  const protocol::Terms defaults;
  std::vector<std::string> bindings, keys;
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    bindings.emplace_back(protocol::binding_name(binding));
  }
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
    keys.emplace_back(protocol::key_type_name(key));
  }
  EXPECT_EQ(code_spans(rows[0][0] + rows[0][1]),
            (std::vector<std::string>{"binding", protocol::binding_name(defaults.binding)}));
  EXPECT_EQ(code_spans(rows[0][2]), bindings);
  EXPECT_EQ(code_spans(rows[1][0] + rows[1][1]),
            (std::vector<std::string>{"key", protocol::key_type_name(defaults.key)}));
  EXPECT_EQ(code_spans(rows[1][2]), keys);
  EXPECT_EQ(code_spans(rows[2][0] + rows[2][1]),
            (std::vector<std::string>{"resource", std::string(defaults.resource.text())}));
}

TEST(ProtocolDoc, PairsAreThoseOfTheCode) {
  std::set<std::pair<std::string, std::string>> served;
  for (const auto& row : protocol_document().table("pair").rows) {
    const auto binding = protocol::binding_named(code_span(row[0]), "pair");
    const auto key = protocol::key_type_named(code_span(row[1]), "pair");
    ASSERT_TRUE(binding && key) << row[0] << row[1];
    ASSERT_TRUE(row[3] == "served" || row[3] == "reserved") << row[3];
    EXPECT_EQ(protocol::check_pair(*binding, *key).has_value(), row[3] == "served") << row[0] << row[1];
    if (row[3] == "served") served.emplace(code_span(row[0]), code_span(row[1]));
  }
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
      EXPECT_EQ(served.contains({protocol::binding_name(binding), protocol::key_type_name(key)}),
                protocol::check_pair(binding, key).has_value());
    }
  }
}

TEST(ProtocolDoc, ShapesAreThoseOfTheCode) {
  const auto& rows = protocol_document().table("shape").rows;
  ASSERT_EQ(rows.size(), 3U);
  for (const auto& row : rows) {
    const auto key = protocol::key_type_named(code_span(row[0]), "shape");
    ASSERT_TRUE(key) << row[0];
    const std::string point =
        "`x`, `y` of " + std::to_string(crypto::coordinate_bytes(protocol::curve_of(*key))) + " octets";
    const std::string rsa = "`n` of " + std::to_string(crypto::kRsaModulusBytes) + " octets, `e` of " +
                            std::to_string(crypto::kRsaExponent.size()) + " octets";
    EXPECT_EQ(row[1], is_ec(*key) ? point : rsa);
    EXPECT_EQ(row[2], is_ec(*key) ? point : "absent");
    EXPECT_EQ(row[3], std::to_string(protocol::WrappedCek::length(*key)));
    ByteArray<640> memory;
    Writer out(memory);
    JsonWriter json(out);
    protocol::GuestPublicKey any;
    any.type = *key;
    protocol::write_jwk(json, any);
    EXPECT_EQ(code_span(row[4]), nlohmann::json::parse(text_of(*out.finish("shape"))).at("alg").get<std::string>());
  }
}

TEST(ProtocolDoc, GuestStatesAreTheStepsOfAnAttempt) {
  const auto& rows = protocol_document().table("guest state").rows;
  ASSERT_EQ(rows.size(), kAttestSteps);
  for (std::size_t i = 0; i < kAttestSteps; ++i) {
    EXPECT_EQ(code_span(rows[i][0]), attest_step_name(static_cast<AttestStep>(i)));
  }
}

TEST(ProtocolDoc, ReportFieldsLieWhereTheCodeReadsThem) {
  using snp::RawReport;
  const std::map<std::string, std::pair<std::size_t, std::size_t>> fields = {
      {"VERSION (u32)", {offsetof(RawReport, version), sizeof(RawReport::version)}},
      {"VMPL (u32)", {offsetof(RawReport, vmpl), sizeof(RawReport::vmpl)}},
      {"REPORT_DATA", {offsetof(RawReport, report_data), sizeof(RawReport::report_data)}},
      {"MEASUREMENT", {offsetof(RawReport, measurement), sizeof(RawReport::measurement)}},
      {"HOST_DATA", {offsetof(RawReport, host_data), sizeof(RawReport::host_data)}},
      {"REPORTED_TCB", {offsetof(RawReport, reported_tcb), sizeof(RawReport::reported_tcb)}},
      {"CHIP_ID", {offsetof(RawReport, chip_id), sizeof(RawReport::chip_id)}},
      {"signature", {offsetof(RawReport, signature), sizeof(RawReport::signature)}},
  };
  for (const auto& row : protocol_document().table("report field").rows) {
    const auto field = fields.find(row[0]);
    ASSERT_NE(field, fields.end()) << row[0];
    EXPECT_EQ(std::stoul(row[1], nullptr, 16), field->second.first) << row[0];
    EXPECT_EQ(std::stoul(row[2]), field->second.second) << row[0];
  }
}

std::uint64_t ms(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

TEST(ProtocolDoc, NumbersAreThoseOfTheCode) {
  const proxy::SessionConfig session;
  const proxy::HttpLimits http;
  const proxy::ServerConfig server;
  const std::map<std::string, std::uint64_t> numbers = {
      {"length prefix", protocol::kFramePrefixBytes},
      {"frame body, most", protocol::kMaxFrameBytes},
      {"JSON nesting, most", kMaxJsonDepth},
      {"JSON members in one object, most", kMaxJsonMembers},
      {"challenge, least", protocol::kMinChallengeBytes},
      {"challenge, most", protocol::kMaxChallengeBytes},
      {"report", snp::kReportBytes},
      {"certificate table, most", protocol::kMaxCertsBytes},
      {"P-521 coordinate", crypto::coordinate_bytes(crypto::Curve::p521)},
      {"P-256 coordinate", crypto::coordinate_bytes(crypto::Curve::p256)},
      {"RSA modulus", crypto::kRsaModulusBytes},
      {"ciphertext, most", protocol::kMaxCiphertextBytes},
      {"JWE header, decoded, most", protocol::kMaxHeaderBytes},
      {"`aad`, most", protocol::kMaxAadBytes},
      {"text of `epk.x` or `epk.y` in that header, most",
       base64_encoded_size(Base64::standard, crypto::kMaxCoordinateBytes)},
      {"wrapped content key, EC", sizeof(crypto::WrappedKey)},
      {"wrapped content key, RSA", sizeof(crypto::RsaWrappedKey)},
      {"initialisation vector", sizeof(crypto::GcmIv)},
      {"tag", sizeof(crypto::GcmTag)},
      {"resource path, most", protocol::kMaxResourcePathBytes},
      {"error detail, most", protocol::kMaxErrorDetailBytes},
      {"token from the broker, most", proxy::kbs::kMaxTokenBytes},
      {"broker's body, most", http.max_body_bytes},
      {"broker's head, most", http.max_header_bytes},
      {"connecting to the broker, most", ms(http.connect)},
      {"attempt at the guest, default", ms(AttestConfig{}.budget)},
      {"attempt at the proxy, default", ms(session.budget)},
      {"error frame, beyond that", ms(session.refusal_budget)},
      {"guest's reading after its write failed, most", ms(protocol::kLastWord)},
      {"running attempts after the request to stop, default", ms(server.grace)},
      {"serial: guest's silence before frame 1", ms(protocol::kGuestDrainSilence)},
      {"serial: waiting for that silence, most", ms(protocol::kGuestDrainLimit)},
      {"serial: guest repeats frame 1 after", ms(protocol::kRepeatAfter)},
      {"serial: guest's silence after losing step", ms(protocol::kGuestSilenceAfter)},
      {"serial: dropped before the first frame, most", protocol::kMaxSkippedOctets},
      {"serial: least length of the first frame", protocol::kMinFoundBytes},
      {"serial: proxy's silence after noise", ms(proxy::kSerialSilence)},
      {"serial: octets that are no frame yet, most", ms(proxy::kFrameStartPatience)},
      {"serial socket: draining without silence, most", ms(proxy::DrainingLines::kLongestDrain)},
      {"unix, vsock: reading on before the line is closed, most", ms(proxy::DrainingLines::kToRead)},
      {"any line that can be closed: octets dropped before it is, most", proxy::DrainingLines::kMostOctets},
      {"lines that are being given up, most", proxy::DrainingLines::kMostLeaving},
      {"open lines, default", server.max_lines},
      {"open lines of one CID, most", server.max_lines_per_peer},
      {"attempts of a peer at once, default", server.attempts.at_once},
      {"one more attempt each, default", ms(server.attempts.interval)},
      {"waiting for a session, default", ms(server.queue_wait)},
      {"running attempts of one peer, default", server.max_sessions_per_peer},
      {"vsock port, default", posix::kDefaultVsockPort},
  };
  std::set<std::string> listed;
  for (const auto& row : protocol_document().table("number").rows) {
    const auto number = numbers.find(row[0]);
    ASSERT_NE(number, numbers.end()) << "no constant is known for: " << row[0];
    EXPECT_EQ(std::stoull(row[1]), number->second) << row[0];
    listed.insert(row[0]);
  }
  for (const auto& [name, value] : numbers) EXPECT_TRUE(listed.contains(name)) << "annex B lacks: " << name;
}

// What a pointer names in the recorded cases, or, behind `guest-keys/`, in the vectors of docs/vectors.
std::string recorded(const std::string& pointer) {
  static const auto cases =
      nlohmann::json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
  static const auto guest_keys =
      nlohmann::json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/docs/vectors/guest-keys.json"));
  const std::string_view prefix = "guest-keys";
  const bool ours = pointer.starts_with(prefix);
  const nlohmann::json::json_pointer at(ours ? pointer.substr(prefix.size()) : "/" + pointer);
  return (ours ? guest_keys : cases).at(at).get<std::string>();
}

TEST(ProtocolDoc, WorkedExampleIsTheRecordedOne) {
  for (const auto& row : protocol_document().table("quantity").rows) {
    EXPECT_EQ(code_span(row[2]), recorded(code_span(row[1]))) << row[0];
  }
  std::size_t checked = 0;
  for (const Block& block : protocol_document().blocks) {
    ASSERT_NE(block.info, "") << "docs/protocol.md:" << block.line << ": a block that nobody checks";
    EXPECT_EQ(block.text, recorded(block.info) + "\n") << "docs/protocol.md:" << block.line;
    ++checked;
  }
  EXPECT_GE(checked, 8U);
}

TEST(ProtocolDoc, DefaultRequestIsTheOneShown) {
  ByteArray<64> into;
  const auto encoded = protocol::encode_negotiation_request({}, into);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->size(), 31U);
  EXPECT_NE(protocol_document().prose.find("`" + std::string(text_of(*encoded)) + "`"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::tests
