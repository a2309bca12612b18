// SPDX-License-Identifier: Apache-2.0
#include "proxy/vector_cases.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/posix/describe.h"

namespace attestbed::proxy {
namespace {

using nlohmann::json;

std::string octets(const json& hex) {
  std::string value;
  if (!posix::from_hex(hex.get<std::string>(), value)) throw std::runtime_error("the vector file holds bad hex");
  return value;
}

VectorCase read_case(const json& from) {
  const json& frames = from.at("frames");
  const json& http = from.at("kbs_http");
  return {.name = from.at("name"),
          .negotiation_request = frames.at("negotiation_request").at("json"),
          .negotiation_response = frames.at("negotiation_response").at("json"),
          .attestation_request = frames.at("attestation_request").at("json"),
          .attestation_response = frames.at("attestation_response").at("json"),
          .auth_request = http.at("auth_request"),
          .auth_response = http.at("auth_response"),
          .attest_request = http.at("attest_request"),
          .attest_response = http.at("attest_response"),
          .resource_response = http.at("resource_response"),
          .challenge = octets(from.at("challenge")),
          .report_data = octets(from.at("report_data")),
          .protected_header = from.at("protected"),
          .epk_x = octets(from.at("epk").at("x")),
          .epk_y = octets(from.at("epk").at("y")),
          .wrapped_cek = octets(from.at("wrapped_cek")),
          .iv = octets(from.at("iv")),
          .tag = octets(from.at("tag")),
          .ciphertext = octets(from.at("ciphertext")),
          .token = from.at("token"),
          .trustee_text = from.at("trustee_binding").at("jcs"),
          .trustee_report_data = octets(from.at("trustee_binding").at("report_data")),
          .params = from.at("params")};
}

}  // namespace

const std::vector<VectorCase>& vector_cases() {
  static const std::vector<VectorCase> cases = [] {
    const json file = json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json"));
    std::vector<VectorCase> read;
    for (const json& one : file.at("cases")) read.push_back(read_case(one));
    return read;
  }();
  return cases;
}

const VectorCase& vector_case(const std::string& name) {
  for (const VectorCase& one : vector_cases()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no vector case " + name);
}

}  // namespace attestbed::proxy
