// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/ecdh.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <bit>

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

using EncodedPoint = ByteArray<1 + 2 * kMaxCoordinateBytes>;

/// encode writes SEC 1's uncompressed form, the only one whose octets are the coordinates as they came.
Bytes encode(const EcPoint& point, EncodedPoint& into) {
  into[0] = POINT_CONVERSION_UNCOMPRESSED;
  const auto end = std::ranges::copy(point.y(), std::ranges::copy(point.x(), into.begin() + 1).out).out;
  return Bytes(into.begin(), end);
}

/// in_range is true for 1..n-1. It reads every octet whatever the scalar is: where it first differs from n, or whether
/// it begins with zeros, is nobody's business.
bool in_range(Bytes scalar, Bytes order) {
  unsigned borrow = 0, any = 0;
  for (std::size_t i = scalar.size(); i-- > 0;) {
    borrow = (static_cast<unsigned>(scalar[i]) - order[i] - borrow) >> 8 & 1U;
    any |= scalar[i];
  }
  return borrow == 1 && any != 0;
}

bool usable(const EcScalar& scalar, Curve curve) {
  return scalar.size() == coordinate_bytes(curve) &&
         in_range(scalar.expose(), Bytes(openssl::library().curve(curve).order).first(scalar.size()));
}

/// import_point makes a key of a peer's octets. bad_point unless both coordinates are below p and on the curve, which
/// EC_POINT_oct2point checks behind this call.
Result<openssl::Key> import_point(const EcPoint& point) {
  const openssl::CurveParts& parts = openssl::library().curve(point.curve());
  openssl::Key key(parts.parameters ? EVP_PKEY_dup(parts.parameters.get()) : nullptr);
  if (!key) return Error{Errc::internal, "EC.parameters"};
  EncodedPoint octets;
  const Bytes encoded = encode(point, octets);
  if (EVP_PKEY_set1_encoded_public_key(key.get(), encoded.data(), encoded.size()) != 1) {
    return Error{Errc::bad_point, "EC.point"};
  }
  return key;
}

/// import_exchange makes one object that holds our scalar and the peer's point, checked as in import_point. EVP takes
/// the scalar from the one side of an exchange and the point from the other and asks of neither that its halves belong
/// together, so the object can stand on both sides. A second one would cost another set-up of the curve: a tenth of the
/// whole exchange on P-256. Null if the point is bad, or OpenSSL fails.
openssl::Key import_exchange(const EcScalar& own, const EcPoint& peer) {
  // An integer parameter lies in the byte order of the machine.
  EcScalar native;
  const MutBytes scalar = native.expose_mut(own.size());
  std::ranges::copy(own.expose(), scalar.begin());
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(scalar);
  EncodedPoint octets;
  const std::size_t size = encode(peer, octets).size();

  OSSL_PARAM params[] = {openssl::group_parameter(peer.curve()),
                         OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), size),
                         OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar.data(), scalar.size()),
                         OSSL_PARAM_construct_end()};
  const openssl::KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &key, EVP_PKEY_KEYPAIR, params) != 1) return nullptr;
  return openssl::Key(key);
}

}  // namespace

Result<EcPoint> ec_public(Curve curve, const EcScalar& scalar) {
  const Error failed{Errc::internal, "EC.public"};
  const openssl::CurveParts& parts = openssl::library().curve(curve);
  if (!parts.group) return failed;
  if (!usable(scalar, curve)) return Error{Errc::bad_value, "EC.scalar"};

  // The one low-level call: EVP has no way to compute the point of a scalar that the caller chose, and ours must come
  // from Entropy. EC_POINT_mul with the generator alone is the path that OpenSSL's own key generation takes, in
  // constant time for these curves.
  const openssl::ErrorScope errors;
  const Bytes octets = scalar.expose();
  const openssl::SecretNumber number(BN_secure_new());
  const openssl::NumberContext scratch(BN_CTX_secure_new_ex(openssl::library_context()));
  const openssl::GroupPoint point(EC_POINT_new(parts.group.get()));
  if (!number || !scratch || !point) return failed;
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  EncodedPoint encoded;
  const std::size_t width = coordinate_bytes(curve);
  if (BN_bin2bn(octets.data(), static_cast<int>(octets.size()), number.get()) == nullptr ||
      EC_POINT_mul(parts.group.get(), point.get(), number.get(), nullptr, nullptr, scratch.get()) != 1 ||
      EC_POINT_point2oct(parts.group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                         scratch.get()) != 1 + 2 * width) {
    return failed;
  }
  return EcPoint::make(curve, Bytes(encoded).subspan(1, width), Bytes(encoded).subspan(1 + width, width), "EC.public");
}

Status ec_check(const EcPoint& point) {
  const openssl::ErrorScope errors;
  TRY(import_point(point));
  return ok();
}

Status ecdh(const EcKey& own, const EcPoint& peer, EcSharedSecret& z) {
  z.clear();
  if (own.curve() != peer.curve()) return Error{Errc::bad_value, "ECDH.curve"};
  if (!usable(own.scalar(), own.curve())) return Error{Errc::bad_value, "EC.scalar"};
  const openssl::ErrorScope errors;
  const openssl::Key both = import_exchange(own.scalar(), peer);
  if (!both) {
    TRY(ec_check(peer));
    return Error{Errc::internal, "ECDH"};
  }
  const openssl::KeyContext derive(EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), both.get(), nullptr));

  // validate_peer is off because the point was checked above: for a curve of cofactor 1 every point on it but infinity,
  // which has no coordinates, is in the one group of order n. The check that OpenSSL would add multiplies by n to learn
  // just that, and costs as much as the exchange itself.
  const std::size_t width = coordinate_bytes(own.curve());
  const MutBytes secret = z.expose_mut(width);
  std::size_t size = secret.size();
  if (!derive || EVP_PKEY_derive_init(derive.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(derive.get(), both.get(), /*validate_peer=*/0) != 1 ||
      EVP_PKEY_derive(derive.get(), secret.data(), &size) != 1 || size != width) {
    z.clear();
    return Error{Errc::internal, "ECDH"};
  }
  return ok();
}

}  // namespace attestbed::crypto
