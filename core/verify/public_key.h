// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only.
#include "core/base/bytes.h"
#include "core/crypto/openssl/handles.h"

namespace attestbed::verify {

/// certificate_context is the context to read certificates in: one without algorithms. In a context that has some,
/// d2i_X509 also decodes the key, and OpenSSL 3.0 sets up every decoder it knows for that, which costs more than a
/// verification with the key. Null if OpenSSL has no memory.
OSSL_LIB_CTX* certificate_context();

/// public_key builds the certificate's key in our library context. There are two kinds that any rule here accepts, and
/// only these are built: rsaEncryption with parameters NULL (RFC 3279 section 2.3.1, canonical DER), and EC on the
/// named curve P-384 with an uncompressed point that is on it (RFC 5480). Null for everything else.
openssl::Key public_key(const X509* x509);

/// verifies_pss says whether `signature` is RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48 over `message`.
bool verifies_pss(EVP_PKEY* key, Bytes message, Bytes signature);

/// tbs_octets finds tbsCertificate in a certificate's DER, as it stands there; empty if there is none.
Bytes tbs_octets(Bytes der);

}  // namespace attestbed::verify
