// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/platform/entropy.h"

namespace attestbed::crypto {

/// Curve is a NIST prime curve (FIPS 186-5, SP 800-186) that a guest key may live on.
enum class Curve : std::uint8_t { p256, p521 };

inline constexpr std::size_t kMaxCoordinateBytes = 66;

/// coordinate_bytes is the width of a coordinate, a scalar and a shared secret: 32 for P-256, 66 for P-521.
constexpr std::size_t coordinate_bytes(Curve curve) {
  return curve == Curve::p256 ? 32 : 66;
}

/// EcPoint is an affine point as it travels: two big-endian coordinates, left-padded to the curve's width. The octets
/// may be anything a peer sent; ec_check and ecdh decide whether they are a point.
class EcPoint {
 public:
  EcPoint() = default;
  /// make fails with bad_length unless both coordinates have exactly the curve's width.
  static Result<EcPoint> make(Curve curve, Bytes x, Bytes y, const char* where);

  Curve curve() const { return curve_; }
  Bytes x() const { return Bytes(x_).first(coordinate_bytes(curve_)); }
  Bytes y() const { return Bytes(y_).first(coordinate_bytes(curve_)); }
  friend bool operator==(const EcPoint& a, const EcPoint& b) {
    return a.curve_ == b.curve_ && a.x_ == b.x_ && a.y_ == b.y_;
  }

 private:
  Curve curve_ = Curve::p521;
  ByteArray<kMaxCoordinateBytes> x_{};
  ByteArray<kMaxCoordinateBytes> y_{};
};

using EcScalar = SecretBuffer<kMaxCoordinateBytes>;
using EcSharedSecret = SecretBuffer<kMaxCoordinateBytes>;

/// EcKey is an ephemeral key pair: the scalar comes from `entropy` by rejection sampling (FIPS 186-5 A.2.2), so the
/// same entropy gives the same key. Errors: internal if 64 candidates in a row are out of range; what Entropy returns.
class EcKey {
 public:
  EcKey() = default;
  EcKey(const EcKey&) = delete;
  EcKey& operator=(const EcKey&) = delete;
  Status generate(Curve curve, Entropy& entropy);
  /// set takes a known scalar of the curve's width, for vectors. Errors: bad_length, bad_value if not in 1..n-1.
  Status set(Curve curve, Bytes scalar);

  Curve curve() const { return point_.curve(); }
  const EcPoint& point() const { return point_; }
  const EcScalar& scalar() const { return scalar_; }

 private:
  EcScalar scalar_;
  EcPoint point_;
};

/// ec_public computes scalar * G. Errors: bad_value if the scalar is not in 1..n-1, internal.
Result<EcPoint> ec_public(Curve curve, const EcScalar& scalar);

/// ec_check decides whether the coordinates are below p and on the curve (SP 800-56A section 5.6.2.3.4, partial
/// validation, which is complete for these curves of cofactor 1). Errors: bad_point.
Status ec_check(const EcPoint& point);

/// ecdh computes the x coordinate of scalar * peer, left-padded (SP 800-56A section 5.7.1.2), into `z`. The peer's
/// point is checked first. Errors: bad_point, bad_value if the curves differ, internal.
Status ecdh(const EcKey& own, const EcPoint& peer, EcSharedSecret& z);

}  // namespace attestbed::crypto
