// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/crypto/ecdh.h"
#include "core/crypto/openssl/handles.h"

namespace attestbed::openssl {

/// CurveParts is what one curve needs for every operation, made once.
///   group       immutable, so threads may share it
///   order       n, big-endian, `coordinate_bytes` of them
///   parameters  a key without a point: the curve's domain parameters, from which peers' keys are made
struct CurveParts {
  Group group;
  ByteArray<crypto::kMaxCoordinateBytes> order{};
  Key parameters;
};

/// Library is this program's own OpenSSL: a library context that no configuration file and no other user of libcrypto
/// in the process can reach, the default provider in it, and the algorithms we use, fetched once. Immutable once made,
/// so threads share it. A member is null if this OpenSSL cannot provide it; operations then fail with `internal`.
struct Library {
  LibraryContext context;
  Provider provider;
  Digest sha256, sha384, sha512;
  Cipher aes256_gcm, aes256_wrap;
  CurveParts p256, p521;

  const CurveParts& curve(crypto::Curve which) const { return which == crypto::Curve::p256 ? p256 : p521; }
};

/// library returns it. A program that links it never reads OPENSSL_CONF, neither for us nor for other libraries that it
/// shares libcrypto with: that is settled before main and before their own initialisation.
const Library& library();

/// library_context is the context for everything else: certificates, signatures.
inline OSSL_LIB_CTX* library_context() {
  return library().context.get();
}

/// group_parameter names the curve in the parameters of a key.
OSSL_PARAM group_parameter(crypto::Curve curve);

}  // namespace attestbed::openssl
