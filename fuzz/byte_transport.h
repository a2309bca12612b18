// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/platform/transport.h"

namespace attestbed::fuzz {

/// ByteTransport is a peer that sends the given octets, at most `piece` at a time, then closes. It keeps what it is
/// sent.
class ByteTransport final : public Transport {
 public:
  ByteTransport(Bytes incoming, std::size_t piece) : rest_(incoming), piece_(std::max<std::size_t>(piece, 1)) {}

  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    const std::size_t n = std::min({into.size(), rest_.size(), piece_});
    if (n == 0) return Error{Errc::closed, "ByteTransport"};
    std::memcpy(into.data(), rest_.data(), n);
    rest_ = rest_.subspan(n);
    return n;
  }
  Status write_all(Bytes from, Deadline) override {
    sent_.insert(sent_.end(), from.begin(), from.end());
    return ok();
  }

  Bytes rest() const { return rest_; }
  const std::vector<std::uint8_t>& sent() const { return sent_; }

 private:
  Bytes rest_;
  std::size_t piece_;
  std::vector<std::uint8_t> sent_;
};

}  // namespace attestbed::fuzz
