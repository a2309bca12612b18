// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace attestbed::crypto {

using WrappedKey = ByteArray<40>;

/// aes256_unwrap opens a 256-bit key wrapped under `kek` (RFC 3394, default IV). Errors: unwrap_failed, internal.
Result<Secret<32>> aes256_unwrap(const Secret<32>& kek, const WrappedKey& wrapped);

/// aes256_wrap is its inverse; the broker's half. Errors: internal.
Result<WrappedKey> aes256_wrap(const Secret<32>& kek, const Secret<32>& key);

}  // namespace attestbed::crypto
