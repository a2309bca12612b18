// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "core/crypto/ecdh.h"

namespace attestbed::crypto {

Result<EcPoint> EcPoint::make(Curve curve, Bytes x, Bytes y, const char* where) {
  const std::size_t width = coordinate_bytes(curve);
  if (x.size() != width) return Error{Errc::bad_length, where, x.size(), width};
  if (y.size() != width) return Error{Errc::bad_length, where, y.size(), width};
  EcPoint point;
  point.curve_ = curve;
  std::memcpy(point.x_.data(), x.data(), width);
  std::memcpy(point.y_.data(), y.data(), width);
  return point;
}

Status EcKey::generate(Curve curve, Entropy& entropy) {
  // P-521 rejects almost never and P-256 once in 2^32, so 64 in a row means that the entropy source is broken.
  constexpr int kCandidates = 64;
  for (int i = 0; i < kCandidates; ++i) {
    const MutBytes candidate = scalar_.expose_mut(coordinate_bytes(curve));
    TRY(entropy.fill(candidate));
    if (curve == Curve::p521) candidate[0] &= 0x01;
    Result<EcPoint> point = ec_public(curve, scalar_);
    if (point) {
      point_ = *point;
      return ok();
    }
    if (point.error().code != Errc::bad_value) return point.error();
  }
  scalar_.clear();
  return Error{Errc::internal, "Entropy", kCandidates, 0};
}

Status EcKey::set(Curve curve, Bytes scalar) {
  const std::size_t width = coordinate_bytes(curve);
  if (scalar.size() != width) return Error{Errc::bad_length, "EcKey.scalar", scalar.size(), width};
  std::memcpy(scalar_.expose_mut(width).data(), scalar.data(), width);
  point_ = TRY(ec_public(curve, scalar_));
  return ok();
}

}  // namespace attestbed::crypto
