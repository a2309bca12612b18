// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace attestbed::fuzz {

/// RecordedCase is one case of core/testdata/aproxy-vectors.json: a whole attestation, made and checked by other
/// implementations. `scalar` is the guest's key, `epk_scalar` the broker's; texts are bodies without their length.
struct RecordedCase {
  std::string scalar, epk_scalar, epk_x, epk_y;
  std::string challenge, header, aad, wrapped_cek, iv, tag, ciphertext, plaintext, token;
  std::string negotiation_request, negotiation_response, attestation_request, attestation_response;
  std::string auth_response, attest_request, attest_response, resource_response;
};

/// recorded_cases reads them at first use, and ends the program if it cannot.
const std::vector<RecordedCase>& recorded_cases();

/// fixed is octets of a vector as an array; ends the program if there are not N.
template <class Array>
Array fixed(const std::string& octets) {
  if (octets.size() != Array{}.size()) std::abort();
  Array array{};
  for (std::size_t i = 0; i < octets.size(); ++i) array[i] = static_cast<std::uint8_t>(octets[i]);
  return array;
}

}  // namespace attestbed::fuzz
