// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: the OpenSSL side of a Certificate.

#include "core/crypto/openssl/handles.h"
#include "core/verify/certificate.h"

namespace attestbed::verify {

struct Certificate::Impl {
  openssl::X509Handle x509;
  openssl::Key key;  // null if it is of no kind that any rule accepts
  std::vector<std::uint8_t> der;
  std::string source;
  std::string common_name;
  std::string issuer_common_name;
  Kind kind = Kind::other;
  Time not_before, not_after;
  Checked<VekExtensions> extensions = Refusal{};
};

/// x509_of and key_of hand out what OpenSSL wants as pointers to non-const, though it only reads; key_of is null if
/// public_key makes none. The X509 itself knows no key.
inline X509* x509_of(const Certificate& certificate) {
  return certificate.impl().x509.get();
}
inline EVP_PKEY* key_of(const Certificate& certificate) {
  return certificate.impl().key.get();
}

/// time_of reads a date; none if it is no time.
std::optional<Time> time_of(const ASN1_TIME* time);

/// described is "SEV-Genoa (ask.pem)", for messages.
std::string described(const Certificate& certificate);

}  // namespace attestbed::verify
