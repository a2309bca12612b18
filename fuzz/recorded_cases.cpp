// SPDX-License-Identifier: Apache-2.0
#include "fuzz/recorded_cases.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

using nlohmann::json;

std::string octets(const json& hex) {
  std::string bytes;
  must(posix::from_hex(hex.get<std::string>(), bytes), "the vector is hex");
  return bytes;
}

std::vector<RecordedCase> read() {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json");
  std::vector<RecordedCase> cases;
  const json vectors = json::parse(file);
  for (const json& one : vectors.at("cases")) {
    const json& frames = one.at("frames");
    const json& http = one.at("kbs_http");
    cases.push_back({.scalar = octets(one.at("guest_key").at("d")),
                     .epk_scalar = octets(one.at("epk").at("d")),
                     .epk_x = octets(one.at("epk").at("x")),
                     .epk_y = octets(one.at("epk").at("y")),
                     .challenge = octets(one.at("challenge")),
                     .header = one.at("protected_header_json"),
                     .aad = octets(one.at("aad")),
                     .wrapped_cek = octets(one.at("wrapped_cek")),
                     .iv = octets(one.at("iv")),
                     .tag = octets(one.at("tag")),
                     .ciphertext = octets(one.at("ciphertext")),
                     .plaintext = octets(one.at("plaintext")),
                     .token = one.at("token"),
                     .negotiation_request = frames.at("negotiation_request").at("json"),
                     .negotiation_response = frames.at("negotiation_response").at("json"),
                     .attestation_request = frames.at("attestation_request").at("json"),
                     .attestation_response = frames.at("attestation_response").at("json"),
                     .auth_response = http.at("auth_response"),
                     .attest_request = http.at("attest_request"),
                     .attest_response = http.at("attest_response"),
                     .resource_response = http.at("resource_response")});
  }
  must(cases.size() >= 5, "there are cases");
  return cases;
}

}  // namespace

const std::vector<RecordedCase>& recorded_cases() {
  static const std::vector<RecordedCase>& cases = *new std::vector<RecordedCase>(read());
  return cases;
}

}  // namespace attestbed::fuzz
