// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/messages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "mock-kbs/bounded_json.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kExpectedShape[] = "{\"snp-report\": base64, \"certs-buf\": base64 or null}";

Checked<MutBytes> decode_base64(Base64 alphabet, std::string_view text, MutBytes into, const std::string& field) {
  const Result<MutBytes> octets = base64_decode(alphabet, bytes_of(text), into, "base64");
  if (octets) return *octets;
  const char* expected =
      alphabet == Base64::standard ? "canonical standard base64 with padding" : "canonical base64url without padding";
  return Refusal{Errc::bad_base64, field, expected,
                 "a wrong character at offset " + std::to_string(octets.error().found)};
}

Checked<void> coordinate(const Members& key, const char* name, std::span<std::uint8_t, 66> into) {
  const std::string_view text = TRY(key.text(name));
  constexpr std::size_t kChars = base64_encoded_size(Base64::url, 66);
  if (text.size() != kChars) {
    return Refusal{Errc::bad_length, key.path_of(name), "66 octets, " + std::to_string(kChars) + " characters",
                   std::to_string(text.size()) + " characters"};
  }
  TRY(decode_base64(Base64::url, text, into, key.path_of(name)));
  return {};
}

Checked<void> expect_text(const Members& object, const char* name, std::string_view expected, Errc code) {
  const std::string_view found = TRY(object.text(name));
  if (found == expected) return {};
  const auto shown = [](std::string_view text) {
    return text.empty() ? "an empty string" : verify::printable(text, 64);
  };
  return Refusal{code, object.path_of(name), shown(expected), shown(found)};
}

Checked<protocol::GuestPublicKey> decode_key(const Members& runtime) {
  const Members key = TRY(runtime.object("tee-pubkey"));
  TRY(expect_text(key, "kty", "EC", Errc::key_unsupported));
  TRY(expect_text(key, "crv", "P-521", Errc::key_unsupported));
  TRY(expect_text(key, "alg", "ECDH-ES+A256KW", Errc::key_unsupported));
  ByteArray<66> x;
  ByteArray<66> y;
  TRY(coordinate(key, "x", x));
  TRY(coordinate(key, "y", y));
  const crypto::EcPoint point = TRY(checked(crypto::EcPoint::make(crypto::Curve::p521, x, y, "tee-pubkey")));
  if (!crypto::ec_check(point)) {
    return Refusal{Errc::bad_point, runtime.path_of("tee-pubkey"), "a point of P-521", "coordinates off the curve"};
  }
  return protocol::GuestPublicKey::of(point);
}

Checked<void> decode_report(const Members& evidence, ByteArray<snp::kReportBytes>& into) {
  const json* report = evidence.find("snp-report");
  if (report == nullptr) {
    return Refusal{Errc::evidence_shape, evidence.path_of("snp-report"), kExpectedShape, "no such member"};
  }
  const std::string_view text = TRY(evidence.text("snp-report"));
  constexpr std::size_t kChars = base64_encoded_size(Base64::standard, snp::kReportBytes);
  if (text.size() != kChars) {
    return Refusal{Errc::bad_length, evidence.path_of("snp-report"),
                   "1184 octets, " + std::to_string(kChars) + " characters",
                   std::to_string(text.size()) + " characters"};
  }
  // The text may decode to one or two octets less than 1184 with more padding, so room for the text's own maximum.
  ByteArray<base64_max_decoded_size(kChars)> octets;
  const MutBytes decoded = TRY(decode_base64(Base64::standard, text, octets, evidence.path_of("snp-report")));
  if (decoded.size() != into.size()) {
    return Refusal{Errc::bad_length, evidence.path_of("snp-report"), std::to_string(into.size()) + " octets",
                   std::to_string(decoded.size()) + " octets"};
  }
  std::ranges::copy(decoded, into.begin());
  return {};
}

Checked<std::vector<std::uint8_t>> decode_certs(const Members& evidence) {
  const json* certs = evidence.find("certs-buf");
  if (certs == nullptr || certs->is_null()) return std::vector<std::uint8_t>();
  const std::string_view text = TRY(evidence.text("certs-buf"));
  if (text.size() > base64_encoded_size(Base64::standard, kMaxCertsBufBytes)) {
    return Refusal{Errc::too_large, evidence.path_of("certs-buf"), std::to_string(kMaxCertsBufBytes) + " octets",
                   std::to_string(text.size()) + " characters"};
  }
  std::vector<std::uint8_t> octets(base64_max_decoded_size(text.size()));
  const MutBytes decoded = TRY(decode_base64(Base64::standard, text, octets, evidence.path_of("certs-buf")));
  octets.resize(decoded.size());
  return octets;
}

}  // namespace

Checked<void> check_auth_request(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members request = TRY(Members::of(value, ""));
  TRY(expect_text(request, "version", kProtocolVersion, Errc::unsupported_version));
  TRY(expect_text(request, "tee", "snp", Errc::tee_unsupported));
  TRY(request.required("extra-params"));
  return {};
}

std::string encode_challenge(std::string_view nonce) {
  return ordered_json{{"nonce", nonce}, {"extra-params", ""}}.dump();
}

Checked<AttestRequest> decode_attest_request(std::string_view body) {
  const json value = TRY(parse_json(body, "body"));
  const Members request = TRY(Members::of(value, ""));
  const json* init_data = request.find("init-data");
  if (init_data != nullptr && !init_data->is_null()) {
    return Refusal{Errc::bad_value, "init-data", "null or absent", init_data->type_name()};
  }
  AttestRequest decoded;
  const Members runtime = TRY(request.object("runtime-data"));
  decoded.nonce = TRY(runtime.text("nonce"));
  decoded.key = TRY(decode_key(runtime));
  const Members composite = TRY(request.object("tee-evidence"));
  TRY(expect_text(composite, "additional_evidence", "", Errc::bad_value));
  const Members evidence = TRY(composite.object("primary_evidence"));
  TRY(decode_report(evidence, decoded.report));
  decoded.certs = TRY(decode_certs(evidence));
  return decoded;
}

std::string encode_token(std::string_view token) {
  return ordered_json{{"token", token}}.dump();
}

std::string encode_problem(std::string_view variant, std::string_view detail) {
  const std::string type = "https://github.com/confidential-containers/kbs/errors/" + std::string(variant);
  return ordered_json{{"type", type}, {"detail", detail}}.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace attestbed::kbs
