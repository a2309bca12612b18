// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>

#include "bench/inputs.h"
#include "core/platform/entropy.h"
#include "core/platform/transport.h"

// The recorded attestation, replayed to a guest. That works because the key comes from Entropy: with the vector's
// scalar the recorded answer opens.
namespace attestbed::bench {

class VectorEntropy final : public Entropy {
 public:
  Status fill(MutBytes into) override {
    const Octets& scalar = aproxy_case().scalar;
    if (into.size() != scalar.size()) return Error{Errc::bad_length, "VectorEntropy", into.size(), scalar.size()};
    std::ranges::copy(scalar, into.begin());
    return ok();
  }
};

/// ReplayedHost answers whatever it is asked with the vector's two frames, in turn.
class ReplayedHost final : public Transport {
 public:
  Status write_all(Bytes, Deadline) override {
    asked_ = true;
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (asked_) {
      const AproxyCase& recorded = aproxy_case();
      left_ = second_ ? recorded.attestation_response : recorded.negotiation_response;
      second_ = !second_;
      asked_ = false;
    }
    const std::size_t size = std::min(into.size(), left_.size());
    if (size == 0) return Error{Errc::closed, "ReplayedHost"};
    std::memcpy(into.data(), left_.data(), size);
    left_ = left_.subspan(size);
    return size;
  }

 private:
  Bytes left_;
  bool asked_ = false, second_ = false;
};

}  // namespace attestbed::bench
