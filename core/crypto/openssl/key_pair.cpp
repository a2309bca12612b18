// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/key_pair.h"

#include <openssl/pem.h>

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

// Without it OpenSSL would ask a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

openssl::Bio reader(std::string_view text) {
  return openssl::Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

openssl::X509Handle first_certificate(BIO* from) {
  X509* read = X509_new_ex(openssl::library_context(), nullptr);
  // What it cannot decode it frees, and leaves null.
  const bool is_one = read != nullptr && PEM_read_bio_X509(from, &read, no_passphrase, nullptr) != nullptr;
  openssl::X509Handle certificate(read);
  return is_one ? std::move(certificate) : nullptr;
}

}  // namespace

Status certificate_fits_key(std::string_view certificates, std::string_view key) {
  const openssl::ErrorScope errors;
  const openssl::Bio certificate_text = reader(certificates), key_text = reader(key);
  if (!certificate_text || !key_text) return Error{Errc::internal, "PEM"};
  const openssl::X509Handle certificate = first_certificate(certificate_text.get());
  if (!certificate) return Error{Errc::bad_value, "certificate"};
  const openssl::Key own(
      PEM_read_bio_PrivateKey_ex(key_text.get(), nullptr, no_passphrase, nullptr, openssl::library_context(), nullptr));
  if (!own) return Error{Errc::bad_value, "key"};
  if (X509_check_private_key(certificate.get(), own.get()) != 1) return Error{Errc::bad_value, "pair"};
  return ok();
}

}  // namespace attestbed::crypto
