// SPDX-License-Identifier: Apache-2.0
// A library that a hostile OPENSSL_CONF names as a provider. It offers nothing; it says that its code ran.
#include <cstdio>

extern "C" int OSSL_provider_init(const void*, const void*, const void**, void**) {
  std::puts("trap ran");
  return 0;
}
