// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/sha2.h"

#include "core/crypto/openssl/library.h"

namespace attestbed::crypto {
namespace {

template <std::size_t N>
Result<ByteArray<N>> hash(const EVP_MD* algorithm, std::initializer_list<Bytes> parts, const char* where) {
  const openssl::ErrorScope errors;
  const openssl::DigestContext context(EVP_MD_CTX_new());
  bool good = algorithm != nullptr && context && EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1;
  for (const Bytes part : parts) good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  ByteArray<N> digest;
  unsigned size = 0;
  if (!good || EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1 || size != N) {
    return Error{Errc::internal, where};
  }
  return digest;
}

}  // namespace

Result<Sha256Digest> sha256(std::initializer_list<Bytes> parts) {
  return hash<32>(openssl::library().sha256.get(), parts, "SHA-256");
}

Result<Sha384Digest> sha384(std::initializer_list<Bytes> parts) {
  return hash<48>(openssl::library().sha384.get(), parts, "SHA-384");
}

Result<Sha512Digest> sha512(std::initializer_list<Bytes> parts) {
  return hash<64>(openssl::library().sha512.get(), parts, "SHA-512");
}

}  // namespace attestbed::crypto
