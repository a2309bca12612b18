// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/crypto/ecdh.h"
#include "core/crypto/sha2.h"

// Test vectors, as tests write them down: hexadecimal text.
namespace attestbed::crypto {

using Octets = std::vector<std::uint8_t>;

/// unhex throws on a text that is not hexadecimal: a mistyped vector must not pass as an empty one.
inline Octets unhex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0 || text.find_first_not_of(kDigits) != text.npos) {
    throw std::invalid_argument("not lower-case hexadecimal: " + std::string(text));
  }
  Octets octets;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    octets.push_back(static_cast<std::uint8_t>(kDigits.find(text[i]) << 4 | kDigits.find(text[i + 1])));
  }
  return octets;
}

template <std::size_t N>
ByteArray<N> unhex_array(std::string_view text) {
  const Octets octets = unhex(text);
  if (octets.size() != N) throw std::invalid_argument("wrong width: " + std::string(text));
  ByteArray<N> array;
  std::ranges::copy(octets, array.begin());
  return array;
}

template <std::size_t N>
Secret<N> unhex_secret(std::string_view text) {
  return Secret<N>(std::span<const std::uint8_t, N>(unhex_array<N>(text)));
}

inline std::string hex(Bytes octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

inline EcPoint unhex_point(Curve curve, std::string_view x, std::string_view y) {
  const Result<EcPoint> point = EcPoint::make(curve, unhex(x), unhex(y), "vector");
  if (!point) throw std::invalid_argument("wrong width of a coordinate");
  return *point;
}

/// ScriptedEntropy hands out the given candidates in order, then repeats the last one; it counts the calls.
class ScriptedEntropy final : public Entropy {
 public:
  ScriptedEntropy(std::initializer_list<Octets> candidates) : candidates_(candidates) {}
  Status fill(MutBytes into) override {
    const Octets& next = candidates_[std::min(calls_++, candidates_.size() - 1)];
    if (next.size() != into.size()) return Error{Errc::io_failed, "ScriptedEntropy", next.size(), into.size()};
    std::ranges::copy(next, into.begin());
    return ok();
  }
  std::size_t calls() const { return calls_; }

 private:
  std::vector<Octets> candidates_;
  std::size_t calls_ = 0;
};

/// LabelledEntropy is SHA-256(label, 4-octet big-endian counter) from 0 on, block after block: what
/// docs/vectors/make_vectors.py draws from.
class LabelledEntropy final : public Entropy {
 public:
  explicit LabelledEntropy(std::string label) : label_(std::move(label)) {}
  Status fill(MutBytes into) override {
    for (std::uint8_t& octet : into) {
      if (used_ == block_.size()) {
        const ByteArray<4> number{static_cast<std::uint8_t>(count_ >> 24), static_cast<std::uint8_t>(count_ >> 16),
                                  static_cast<std::uint8_t>(count_ >> 8), static_cast<std::uint8_t>(count_)};
        block_ = TRY(sha256({bytes_of(label_), number}));
        ++count_;
        used_ = 0;
      }
      octet = block_[used_++];
    }
    return ok();
  }

 private:
  std::string label_;
  std::uint32_t count_ = 0;
  Sha256Digest block_{};
  std::size_t used_ = sizeof(Sha256Digest);
};

}  // namespace attestbed::crypto
