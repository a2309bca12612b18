// SPDX-License-Identifier: Apache-2.0
// A shared library that initialises OpenSSL with its configuration before main, as Debian's libcpp-httplib does.
#include <openssl/crypto.h>

namespace {

[[gnu::constructor]] void initialise() {
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
}

}  // namespace

// Referred to, so that no linker drops the library as unused.
extern "C" [[gnu::visibility("default")]] int conf_early() {
  return 0;
}
