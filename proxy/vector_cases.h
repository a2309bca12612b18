// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the cases of core/testdata/aproxy-vectors.json, which were made and checked by other implementations.

#include <string>
#include <vector>

namespace attestbed::proxy {

/// VectorCase is one recorded run: the four frames between guest and proxy and the bodies between proxy and broker,
/// octet for octet, and the fields that tests compare, as octets.
struct VectorCase {
  std::string name;
  std::string negotiation_request, negotiation_response, attestation_request, attestation_response;
  std::string auth_request, auth_response, attest_request, attest_response, resource_response;
  std::string challenge, report_data, protected_header, epk_x, epk_y, wrapped_cek, iv, tag, ciphertext, token;
  // What Trustee's binding makes of the same key and challenge: the text that is hashed, and REPORT_DATA.
  std::string trustee_text, trustee_report_data;
  std::vector<std::string> params;

  /// is_bound says whether the report binds the key as `params` of our negotiation demand.
  bool is_bound() const { return params == std::vector<std::string>{"EcPublicKeyBytes", "Challenge"}; }
};

const std::vector<VectorCase>& vector_cases();
const VectorCase& vector_case(const std::string& name);

}  // namespace attestbed::proxy
