// SPDX-License-Identifier: Apache-2.0
// What an OPENSSL_CONF in the environment does to a program that uses our crypto. library_test runs it as a child.
//   usage: conf_probe ours|stock    ours: through core/crypto; stock: as a program that lets OpenSSL configure itself
//   prints the SHA-256 of "abc"; the trap (conf_trap.cpp) prints a line of its own if it gets to run
#include <cstdio>
#include <cstring>

#include "core/crypto/openssl/library.h"
#include "core/crypto/openssl/vectors.h"
#include "core/crypto/sha2.h"

namespace {

using namespace attestbed;

std::string ours() {
  const Result<crypto::Sha256Digest> digest = crypto::sha256({bytes_of("abc")});
  // As another library in the process would, later.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  return digest ? crypto::hex(*digest) : "failed";
}

std::string stock() {
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  crypto::Sha256Digest digest;
  const openssl::Digest algorithm(EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
  if (!algorithm || EVP_Digest("abc", 3, digest.data(), nullptr, algorithm.get(), nullptr) != 1) return "failed";
  return crypto::hex(digest);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::puts((std::strcmp(argv[1], "ours") == 0 ? ours() : stock()).c_str());
  return 0;
}
