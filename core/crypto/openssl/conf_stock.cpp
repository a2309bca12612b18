// SPDX-License-Identifier: Apache-2.0
// conf_probe's counterpart: the same program without our crypto, for what OPENSSL_CONF does when nobody prevents it.
#include <openssl/evp.h>

#include <cstdio>

#include "core/crypto/openssl/handles.h"
#include "core/crypto/openssl/vectors.h"

extern "C" int conf_early();

int main() {
  using namespace attestbed;
  ByteArray<32> digest;
  const openssl::Digest algorithm(EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
  const bool hashed = algorithm && EVP_Digest("abc", 3, digest.data(), nullptr, algorithm.get(), nullptr) == 1;
  std::puts(hashed ? crypto::hex(digest).c_str() : "failed");
  return conf_early();
}
