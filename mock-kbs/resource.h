// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// A resource above kLargestCommonResource is served, but guests behind a proxy of protocol 0.1.0 cannot receive it.
inline constexpr std::size_t kMaxResourceBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kLargestCommonResource = 32 * 1024;

/// SecretOctets holds one secret of any size in memory of its own, wiped before it is given back; it cannot be copied,
/// compared or printed.
class SecretOctets {
 public:
  explicit SecretOctets(std::size_t size) : octets_(std::make_unique<std::uint8_t[]>(size)), size_(size) {}
  SecretOctets(SecretOctets&& other) noexcept;
  SecretOctets& operator=(SecretOctets&& other) noexcept;
  SecretOctets(const SecretOctets&) = delete;
  SecretOctets& operator=(const SecretOctets&) = delete;
  ~SecretOctets();

  std::size_t size() const { return size_; }
  Bytes expose() const { return {octets_.get(), size_}; }
  MutBytes expose_mut() { return {octets_.get(), size_}; }
  /// shrink keeps the first `size` octets and wipes the rest.
  void shrink(std::size_t size);

 private:
  std::unique_ptr<std::uint8_t[]> octets_;
  std::size_t size_ = 0;
};

/// read_secret_file reads a regular file of at most kMaxResourceBytes without leaving a copy behind.
///   errors  io_failed (with the system's reason), too_large; `field` is `path`
Checked<SecretOctets> read_secret_file(const std::string& path);

}  // namespace attestbed::kbs
