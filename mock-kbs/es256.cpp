// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/es256.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/crypto/openssl/handles.h"
#include "core/crypto/openssl/library.h"

namespace attestbed::kbs {

struct Es256Key::Impl {
  openssl::Key key;
};

namespace {

constexpr std::size_t kNumberBytes = 32;

Refusal failed(const char* operation) {
  return {Errc::internal, operation, "success", "a failure inside OpenSSL"};
}

openssl::Key make_key(const crypto::EcKey& key) {
  std::array<std::uint8_t, 1 + 2 * kNumberBytes> uncompressed{0x04};
  std::ranges::copy(key.point().x(), uncompressed.begin() + 1);
  std::ranges::copy(key.point().y(), uncompressed.begin() + 1 + kNumberBytes);
  const Bytes scalar = key.scalar().expose();
  const openssl::SecretNumber number(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!number || !builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, uncompressed.data(),
                                       uncompressed.size()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) != 1) {
    return nullptr;
  }
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return nullptr;
  }
  return openssl::Key(made);
}

}  // namespace

Checked<Es256Key> Es256Key::from(const crypto::EcKey& key) {
  const openssl::ErrorScope errors;
  if (key.curve() != crypto::Curve::p256) return failed("Es256Key.from");
  openssl::Key made = make_key(key);
  if (!made) return failed("Es256Key.from");
  return Es256Key(std::make_unique<Impl>(Impl{std::move(made)}), key.point());
}

Checked<Es256Signature> Es256Key::sign(std::string_view text) const {
  const openssl::ErrorScope errors;
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const Bytes message = bytes_of(text);
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", openssl::library_context(), nullptr, impl_->key.get(),
                            nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return failed("Es256Key.sign");
  }
  std::vector<std::uint8_t> der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()) != 1) {
    return failed("Es256Key.sign");
  }
  const unsigned char* at = der.data();
  const openssl::EcdsaSignature parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  Es256Signature raw{};
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw.data(), kNumberBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw.data() + kNumberBytes, kNumberBytes) < 0) {
    return failed("Es256Key.sign");
  }
  return raw;
}

bool Es256Key::verifies(std::string_view text, const Es256Signature& signature) const {
  const openssl::ErrorScope errors;
  const openssl::EcdsaSignature parts(ECDSA_SIG_new());
  openssl::Number r(BN_bin2bn(signature.data(), kNumberBytes, nullptr));
  openssl::Number s(BN_bin2bn(signature.data() + kNumberBytes, kNumberBytes, nullptr));
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // set0 took both
  static_cast<void>(s.release());
  unsigned char* encoded = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &encoded);
  const openssl::Octets der(encoded);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const Bytes message = bytes_of(text);
  return size > 0 && context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", openssl::library_context(), nullptr,
                                 impl_->key.get(), nullptr) == 1 &&
         EVP_DigestVerify(context.get(), der.get(), static_cast<std::size_t>(size), message.data(), message.size()) ==
             1;
}

Es256Key::Es256Key(std::unique_ptr<Impl> impl, const crypto::EcPoint& point) : impl_(std::move(impl)), point_(point) {}
Es256Key::Es256Key(Es256Key&&) noexcept = default;
Es256Key& Es256Key::operator=(Es256Key&&) noexcept = default;
Es256Key::~Es256Key() = default;

}  // namespace attestbed::kbs
