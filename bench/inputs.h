// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/protocol/jwe.h"

// What the benchmarks work on: vectors and samples of the repository, never anything made up.
namespace attestbed::bench {

using Octets = std::vector<std::uint8_t>;

/// AproxyCase is the case "plain" of core/testdata/aproxy-vectors.json: one recorded attestation.
struct AproxyCase {
  Octets scalar;  // the guest's
  Octets epk_x, epk_y, wrapped_cek, aad, iv, tag, ciphertext, plaintext;
  Octets negotiation_response, attestation_response;  // frames, with their length

  /// decryption views this case.
  protocol::Decryption decryption() const;
};

/// aproxy_case reads it once. Throws what reading throws: a benchmark without its input has no result.
const AproxyCase& aproxy_case();

/// sample reads core/verify/testdata/<path>. Throws std::runtime_error.
Octets sample(const std::string& path);

}  // namespace attestbed::bench
