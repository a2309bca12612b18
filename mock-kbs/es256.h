// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "core/crypto/ecdh.h"
#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// A JWS ES256 signature: r then s, 32 octets each, big-endian (RFC 7518 section 3.4).
using Es256Signature = ByteArray<64>;

/// Es256Key signs with ECDSA on P-256 and SHA-256. Const functions may be called from any thread.
class Es256Key {
 public:
  /// from takes a key pair on P-256. Errors: internal.
  static Checked<Es256Key> from(const crypto::EcKey& key);
  Es256Key(Es256Key&&) noexcept;
  Es256Key& operator=(Es256Key&&) noexcept;
  ~Es256Key();

  const crypto::EcPoint& point() const { return point_; }
  Checked<Es256Signature> sign(std::string_view text) const;
  bool verifies(std::string_view text, const Es256Signature& signature) const;

 private:
  struct Impl;
  Es256Key(std::unique_ptr<Impl> impl, const crypto::EcPoint& point);
  std::unique_ptr<Impl> impl_;
  crypto::EcPoint point_;
};

}  // namespace attestbed::kbs
