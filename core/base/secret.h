// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "core/base/bytes.h"

namespace attestbed {

/// wipe overwrites memory in a way that the optimiser may not remove.
inline void wipe(MutBytes octets) {
  if (octets.empty()) return;
  std::memset(octets.data(), 0, octets.size());
  asm volatile("" : : "r"(octets.data()) : "memory");
}

/// equal_ct compares without a data-dependent branch. Lengths are not secret.
inline bool equal_ct(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

/// Secret holds N octets, wipes them on destruction and when moved from, and cannot be copied, compared or printed.
/// `expose` is the audit list: every place that reads or fills a secret names it.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> octets) { std::memcpy(bytes_.data(), octets.data(), N); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  std::span<const std::uint8_t, N> expose() const { return bytes_; }
  std::span<std::uint8_t, N> expose_mut() { return bytes_; }

 private:
  ByteArray<N> bytes_{};
};

/// SecretBuffer is a Secret of at most N octets that remembers how many it holds.
template <std::size_t N>
class SecretBuffer {
 public:
  SecretBuffer() = default;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { wipe(bytes_); }

  static constexpr std::size_t capacity() { return N; }
  std::size_t size() const { return size_; }
  /// expose_mut makes room for `n` <= N octets, to be filled by the caller.
  MutBytes expose_mut(std::size_t n) {
    size_ = n < N ? n : N;
    return MutBytes(bytes_).first(size_);
  }
  Bytes expose() const { return Bytes(bytes_).first(size_); }
  void clear() {
    wipe(bytes_);
    size_ = 0;
  }

 private:
  ByteArray<N> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace attestbed
