// SPDX-License-Identifier: Apache-2.0
// What an OPENSSL_CONF in the environment does to a program that uses our crypto, even beside a library that wants the
// configuration read. library_test runs it as a child. It prints the SHA-256 of "abc"; the library that a hostile
// configuration names (conf_trap.cpp) prints a line of its own if it gets to run.
#include <cstdio>

#include "core/crypto/openssl/vectors.h"
#include "core/crypto/sha2.h"

extern "C" int conf_early();

int main() {
  using namespace attestbed;
  const Result<crypto::Sha256Digest> digest = crypto::sha256({bytes_of("abc")});
  std::puts(digest ? crypto::hex(*digest).c_str() : "failed");
  return conf_early();
}
