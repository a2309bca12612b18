// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include "core/base/bytes.h"

namespace attestbed::sim {

/// install_seeded_rand makes `context` draw all its randomness from key streams that set_rand_key chooses: the same key
/// gives the same octets, so keys and signatures can be made again. For tests and seeded runs only. Until a thread has
/// set a key, everything that needs randomness fails in that thread. Call before the context is used for anything.
bool install_seeded_rand(OSSL_LIB_CTX* context, OSSL_PROVIDER** provider);

/// set_rand_key restarts this thread's streams of `context` (public and private randomness, kept apart) at their first
/// octet under `key`.
bool set_rand_key(OSSL_LIB_CTX* context, const ByteArray<32>& key);

}  // namespace attestbed::sim
