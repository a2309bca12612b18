// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "sim/certificate.h"
#include "sim/crypto_context.h"

namespace attestbed::sim {

/// SigningKey is a private key of the simulated AMD: RSA-4096 for ARK and ASK, P-384 for a VCEK. Immutable and shared;
/// safe from any thread. All functions fail with `internal` where OpenSSL fails.
class SigningKey {
 public:
  using Context = std::shared_ptr<const CryptoContext>;

  /// make_rsa4096 takes seconds. `input` tells apart keys made under the same label and seed.
  static Result<SigningKey> make_rsa4096(const Context& context, std::string_view label, Bytes input);
  static Result<SigningKey> make_p384(const Context& context, std::string_view label, Bytes input);

  /// from_pem reads an unencrypted PKCS #8 text. Errors: bad_value if it is none, or not RSA-4096 or P-384.
  static Result<SigningKey> from_pem(const Context& context, std::string_view text);

  /// to_pem is its inverse. The caller wipes the text.
  Result<std::string> to_pem() const;

  bool is_p384() const;
  Result<Der> spki() const;
  Result<KeyId> key_id() const;

  /// sign_certificate makes the RSASSA-PSS signature of certificates over `tbs`; 512 octets.
  Result<Der> sign_certificate(Bytes tbs) const;
  /// signed_certificate is true if `signature` is one of this key's over `tbs`.
  bool signed_certificate(Bytes tbs, Bytes signature) const;

  /// sign_report makes the ECDSA signature of a report as the firmware writes it.
  Result<snp::RawSignature> sign_report(Bytes signed_part) const;

 private:
  SigningKey(Context context, EVP_PKEY* key);
  Context context_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace attestbed::sim
