// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/wire.h"
#include "core/protocol/frame.h"
#include "fuzz/byte_transport.h"
#include "tests/protocol_document.h"
#include "tests/protocol_messages.h"

// Every row of a table of fields in docs/protocol.md: each code that the row claims is produced by changing that field
// alone in a message that is accepted; the lengths it claims are the lengths that are accepted; and whatever else is
// done to the field ends with a code that the row, or a row below it, claims. A row that is not understood fails.
namespace attestbed::tests {
namespace {

using nlohmann::json;

struct Field {
  std::string name, type, octets;
  std::vector<std::string> codes;
};

std::string cell(const Table& table, const std::vector<std::string>& row, std::string_view column) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (table.header[i] == column) return row[i];
  }
  return {};
}

std::vector<Field> fields_of(const MessageKind& kind) {
  const Table& table = protocol_document().table(kind.table);
  std::vector<Field> fields;
  for (const auto& row : table.rows) {
    const std::string name = code_span(row[0]);
    if (!name.starts_with(kind.prefix)) continue;
    fields.push_back({name.substr(kind.prefix.size()), cell(table, row, "type"), cell(table, row, "octets"),
                      code_spans(cell(table, row, "refused with"))});
  }
  return fields;
}

json::json_pointer pointer(std::string field) {
  std::ranges::replace(field, '.', '/');
  return json::json_pointer("/" + field);
}

// The first good message that has the field; else the first, where it may be added.
json base_of(const MessageKind& kind, const std::string& field) {
  for (const json& good : kind.good) {
    if (good.contains(pointer(field))) return good;
  }
  return kind.good.front();
}

Base64 alphabet(const Field& field) {
  return field.type.starts_with("base64url") ? Base64::url : Base64::standard;
}

// The two ends of "66", "16..64"; none for an empty cell.
std::optional<std::pair<std::size_t, std::size_t>> bounds(const Field& field) {
  if (field.octets.empty()) return std::nullopt;
  const std::size_t dots = field.octets.find("..");
  const std::size_t least = std::stoul(field.octets);
  return std::pair(least, dots == std::string::npos ? least : std::stoul(field.octets.substr(dots + 2)));
}

// A value of this many octets: base64 of them, or a resource path.
json sized(const Field& field, std::size_t size) {
  if (field.type.starts_with("base64")) return base64_text(alphabet(field), size);
  if (!field.name.ends_with("resource")) throw std::runtime_error("no way to give a length to " + field.name);
  return size < 5 ? std::string(size, 'a') : "a/b/" + std::string(size - 4, 'c');
}

// Changes that no general rule gives, as JSON Patch (RFC 6902). In the order of the document.
struct Change {
  const char *message, *field, *code, *patch;
};
constexpr Change kChanges[] = {
    {"NegotiationRequest", "version", "bad_length", R"([{"op":"replace","path":"/version","value":[0,1]}])"},
    {"NegotiationRequest", "version", "bad_value", R"([{"op":"replace","path":"/version/2","value":4294967296}])"},
    {"NegotiationRequest", "tee", "bad_value", R"([{"op":"replace","path":"/tee","value":"SNP"}])"},
    {"NegotiationRequest", "ext.binding", "bad_value", R"([{"op":"replace","path":"/ext/binding","value":"svsm"}])"},
    {"NegotiationRequest", "ext.key", "bad_value", R"([{"op":"replace","path":"/ext/key","value":"P-384"}])"},
    {"NegotiationRequest", "ext.resource", "bad_value",
     R"([{"op":"replace","path":"/ext/resource","value":"default/../key"}])"},
    {"NegotiationResponse", "challenge", "host_chosen_challenge",
     R"([{"op":"replace","path":"/challenge","value":"AAAAAAAAAAAAAAAAAAAA"}])"},
    {"NegotiationResponse", "params", "host_chosen_params",
     R"([{"op":"replace","path":"/params","value":["Challenge","EcPublicKeyBytes"]}])"},
    {"NegotiationResponse", "ext.accepted", "ext_not_honoured", R"([{"op":"remove","path":"/ext/accepted"}])"},
    {"NegotiationResponse", "ext.accepted.binding", "bad_value",
     R"([{"op":"replace","path":"/ext/accepted/binding","value":"svsm"}])"},
    {"NegotiationResponse", "ext.accepted.binding", "ext_not_honoured",
     R"([{"op":"replace","path":"/ext/accepted/binding","value":"kbs-sha384"}])"},
    {"NegotiationResponse", "ext.accepted.key", "bad_value",
     R"([{"op":"replace","path":"/ext/accepted/key","value":"P-384"}])"},
    {"NegotiationResponse", "ext.accepted.key", "ext_not_honoured",
     R"([{"op":"replace","path":"/ext/accepted/key","value":"P-256"}])"},
    {"NegotiationResponse", "ext.accepted.resource", "bad_value",
     R"([{"op":"replace","path":"/ext/accepted/resource","value":"default/disk"}])"},
    {"NegotiationResponse", "ext.accepted.resource", "ext_not_honoured",
     R"([{"op":"replace","path":"/ext/accepted/resource","value":"default/disk/keys"}])"},
    {"NegotiationResponse", "ext.error", "contradiction",
     R"([{"op":"add","path":"/params","value":["EcPublicKeyBytes","Challenge"]}])"},
    {"NegotiationResponse", "ext.error.phase", "bad_value",
     R"([{"op":"replace","path":"/ext/error/phase","value":"Negotiation"}])"},
    {"AttestationRequest", "tee", "bad_value", R"([{"op":"replace","path":"/tee","value":"SNP"}])"},
    {"AttestationRequest", "evidence", "bad_value", R"([{"op":"add","path":"/evidence/Tdx","value":{}}])"},
    {"AttestationResponse", "success", "contradiction", R"([{"op":"replace","path":"/success","value":false}])"},
    {"AttestationResponse", "secret", "contradiction", R"([{"op":"remove","path":"/secret"}])"},
    {"AttestationResponse", "decryption", "contradiction", R"([{"op":"replace","path":"/decryption","value":null}])"},
    {"AttestationResponse", "token", "json_missing", R"([{"op":"remove","path":"/token/Jwt"}])"},
    {"AttestationResponse", "token", "bad_value", R"([{"op":"replace","path":"/token","value":{"jwt":"a"}}])"},
    {"AttestationResponse", "ext.error", "contradiction", R"([{"op":"replace","path":"/success","value":true}])"},
    {"AttestationResponse", "ext.error.phase", "bad_value",
     R"([{"op":"replace","path":"/ext/error/phase","value":""}])"},
    {"header", "alg", "jwe_header", R"([{"op":"replace","path":"/alg","value":"ECDH-ES"}])"},
    {"header", "enc", "jwe_header", R"([{"op":"replace","path":"/enc","value":"A128GCM"}])"},
    {"header", "epk", "jwe_header", R"([{"op":"remove","path":"/epk"}])"},
    {"header", "epk.kty", "jwe_header", R"([{"op":"replace","path":"/epk/kty","value":"OKP"}])"},
    {"header", "epk.crv", "jwe_header", R"([{"op":"replace","path":"/epk/crv","value":"P-256"}])"},
    {"header", "epk.x", "jwe_header", R"([{"op":"remove","path":"/epk/x"}])"},
    {"header", "epk.x", "jwe_epk_mismatch", R"([{"op":"replace","path":"/epk/x","value":"AAAA"}])"},
    {"header", "epk.y", "jwe_header", R"([{"op":"remove","path":"/epk/y"}])"},
    {"header", "epk.y", "jwe_epk_mismatch", R"([{"op":"replace","path":"/epk/y","value":"AAAA"}])"},
    {"header", "apu", "jwe_header", R"([{"op":"add","path":"/apu","value":"QQ"}])"},
    {"header", "apv", "jwe_header", R"([{"op":"add","path":"/apv","value":"QQ"}])"},
    {"header", "crit", "jwe_header", R"([{"op":"add","path":"/crit","value":["exp"]}])"},
    {"header", "zip", "jwe_header", R"([{"op":"add","path":"/zip","value":"DEF"}])"},
    {"broker body", "challenge.nonce", "broker_nonce", R"([{"op":"replace","path":"/nonce","value":"AAA"}])"},
    {"broker body", "jwe.aad", "broker_malformed", R"([{"op":"add","path":"/aad","value":"QQ"}])"},
};

const Change* change_for(const MessageKind& kind, const Field& field, const std::string& code) {
  for (const Change& change : kChanges) {
    if (kind.table == change.message && kind.prefix + field.name == change.field && code == change.code) return &change;
  }
  return nullptr;
}

// The message with only this field changed, so that it should be refused with this code; none if no rule says how.
std::optional<json> bad_message(const MessageKind& kind, const Field& field, const std::string& code) {
  json message = base_of(kind, field.name);
  const json::json_pointer at = pointer(field.name);
  if (const Change* change = change_for(kind, field, code)) return message.patch(json::parse(change->patch));
  if (code == "json_missing" || code == "broker_malformed") {
    message.at(at.parent_pointer()).erase(at.back());
  } else if (code == "json_type") {
    message[at] = 7;
  } else if (code == "bad_base64") {
    message[at] = "A";
  } else if (code == "bad_length") {
    message[at] = base64_text(alphabet(field), 1);
  } else if (code == "too_large" || code == "secret_too_large") {
    const auto range = bounds(field);
    message[at] = range ? sized(field, range->second + 1) : json(base64_text(alphabet(field), 67));
  } else {
    return std::nullopt;
  }
  return message;
}

std::string outcome(const MessageKind& kind, const json& message) {
  const std::optional<Errc> code = kind.refuse(message.dump());
  return code ? error_name(*code) : "(accepted)";
}

class ProtocolFields : public testing::TestWithParam<std::size_t> {
 protected:
  const MessageKind& kind_ = message_kinds()[GetParam()];
  const std::vector<Field> fields_ = fields_of(kind_);
};

TEST_P(ProtocolFields, GoodMessagesAreAcceptedAndDocumentedInFull) {
  std::set<std::string> documented;
  for (const Field& field : fields_) documented.insert(pointer(field.name).to_string());
  for (const json& good : kind_.good) {
    EXPECT_EQ(outcome(kind_, good), "(accepted)") << good;
    const json flat = good.flatten();
    for (const auto& [path, value] : flat.items()) {
      for (json::json_pointer at(path); !at.empty(); at.pop_back()) {
        const bool element = at.back().find_first_not_of("0123456789") == std::string::npos;
        EXPECT_TRUE(element || documented.contains(at.to_string())) << at << " is in no row";
      }
    }
  }
}

TEST_P(ProtocolFields, EveryClaimedCodeIsProduced) {
  ASSERT_FALSE(fields_.empty());
  for (const Field& field : fields_) {
    EXPECT_FALSE(field.codes.empty()) << field.name;
    for (const std::string& code : field.codes) {
      const std::optional<json> message = bad_message(kind_, field, code);
      ASSERT_TRUE(message) << "not understood: " << kind_.table << " " << field.name << " " << code;
      EXPECT_EQ(outcome(kind_, *message), code) << kind_.table << " " << field.name;
    }
  }
}

TEST_P(ProtocolFields, LengthsAreAcceptedAsClaimed) {
  for (const Field& field : fields_) {
    const auto range = bounds(field);
    if (!range) continue;
    // What else the guest demands of these: to be what it stated, or the right octets.
    const bool any_value = !field.name.starts_with("ext.accepted") && kind_.table != "header";
    const auto tried = [&](std::size_t size) {
      json message = base_of(kind_, field.name);
      message[pointer(field.name)] = sized(field, size);
      return outcome(kind_, message);
    };
    const auto [least, most] = *range;
    if (any_value) {
      EXPECT_EQ(tried(least), "(accepted)") << field.name << " of " << least;
      EXPECT_EQ(tried(most), "(accepted)") << field.name << " of " << most;
    }
    const auto refused_as_claimed = [&](std::size_t size) {
      EXPECT_EQ(std::ranges::count(field.codes, tried(size)), 1) << field.name << " of " << size << ": " << tried(size);
    };
    if (least > 0) refused_as_claimed(least - 1);
    refused_as_claimed(most + 1);
  }
}

TEST_P(ProtocolFields, NothingDoneToAFieldEndsWithACodeThatIsNotClaimed) {
  const std::vector<json> values = {nullptr,       true,           7,          -1,          1.5, "",
                                    "A",           "AA==",         "AAAA",     "!",         "ü", "x/y",
                                    json::array(), json::object(), {{"a", 1}}, {1, 2, 3, 4}};
  for (const Field& field : fields_) {
    std::set<std::string> claimed = {"(accepted)"};
    for (const Field& other : fields_) {
      const bool below = other.name == field.name || other.name.starts_with(field.name + ".");
      if (below) claimed.insert(other.codes.begin(), other.codes.end());
    }
    const json base = base_of(kind_, field.name);
    const json::json_pointer at = pointer(field.name);
    for (const json& value : values) {
      json message = base;
      message[at] = value;
      const std::string found = outcome(kind_, message);
      EXPECT_TRUE(claimed.contains(found)) << kind_.table << " " << field.name << " = " << value << ": " << found;
    }
    json message = base;
    message.at(at.parent_pointer()).erase(at.back());
    EXPECT_TRUE(claimed.contains(outcome(kind_, message))) << kind_.table << " without " << field.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Message, ProtocolFields, testing::Range<std::size_t>(0, message_kinds().size()),
                         [](const auto& index) {
                           std::string name = message_kinds()[index.param].table + message_kinds()[index.param].prefix;
                           std::erase_if(name, [](char c) { return c == ' ' || c == '.'; });
                           return name;
                         });

TEST(ProtocolFields, EveryRowBelongsToAMessage) {
  std::map<std::string, std::size_t> rows;
  for (const MessageKind& kind : message_kinds()) rows[kind.table] += fields_of(kind).size();
  for (const auto& [table, count] : rows) EXPECT_EQ(count, protocol_document().table(table).rows.size()) << table;
}

TEST(ProtocolFields, EveryChangeHasItsRow) {
  for (const Change& change : kChanges) {
    bool claimed = false;
    for (const auto& row : protocol_document().table(change.message).rows) {
      const std::vector<std::string> codes = code_spans(row.back());
      claimed = claimed || (code_span(row[0]) == change.field && std::ranges::count(codes, change.code) == 1);
    }
    EXPECT_TRUE(claimed) << change.message << " " << change.field << " " << change.code;
  }
}

std::string frame_outcome(std::uint64_t length, std::size_t octets_of_prefix, std::size_t octets_of_body) {
  std::vector<std::uint8_t> octets(protocol::kFramePrefixBytes + octets_of_body);
  const le64 prefix(length);
  std::memcpy(octets.data(), &prefix, sizeof prefix);
  if (octets_of_prefix < sizeof prefix) octets.resize(octets_of_prefix);
  fuzz::ByteTransport wire(octets, 100);
  std::vector<std::uint8_t> into(protocol::kMaxFrameBytes);
  const auto frame = protocol::receive_frame(wire, into, kNever);
  return frame ? "(accepted)" : error_name(frame.error().code);
}

TEST(ProtocolFrame, CodesAreProducedAsClaimed) {
  const std::map<std::string, std::vector<std::string>> wanted = {
      {"length", {frame_outcome(0, 8, 0), frame_outcome(65537, 8, 0), frame_outcome(0, 0, 0), frame_outcome(9, 7, 0)}},
      {"body", {frame_outcome(9, 8, 8)}}};
  const auto& rows = protocol_document().table("frame").rows;
  ASSERT_EQ(rows.size(), wanted.size());
  for (const auto& row : rows) EXPECT_EQ(code_spans(row.back()), wanted.at(code_span(row[0]))) << row[0];
  EXPECT_EQ(rows[0][1], std::to_string(protocol::kFramePrefixBytes));
  EXPECT_EQ(rows[1][1], "1.." + std::to_string(protocol::kMaxFrameBytes));
  EXPECT_EQ(frame_outcome(1, 8, 1), "(accepted)");
  EXPECT_EQ(frame_outcome(65536, 8, 65536), "(accepted)");
  EXPECT_EQ(frame_outcome(~0ULL, 8, 0), "frame_too_large");
}

TEST(ProtocolOpening, CodesAreProducedAsClaimed) {
  EXPECT_EQ(opening_refusal(OpeningCase::none), std::nullopt);
  const std::map<std::string, OpeningCase> cases = {{"epk", OpeningCase::epk_off_curve},
                                                    {"wrapped_cek", OpeningCase::wrapped_cek_flipped},
                                                    {"tag", OpeningCase::tag_flipped}};
  const auto& rows = protocol_document().table("opening").rows;
  ASSERT_EQ(rows.size(), cases.size());
  for (const auto& row : rows) {
    const std::optional<Errc> code = opening_refusal(cases.at(code_span(row[0])));
    ASSERT_TRUE(code) << row[0];
    EXPECT_EQ(error_name(*code), code_span(row.back())) << row[0];
  }
}

}  // namespace
}  // namespace attestbed::tests
