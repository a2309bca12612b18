// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace attestbed::crypto {

using GcmIv = ByteArray<12>;
using GcmTag = ByteArray<16>;

/// aes256gcm_seal encrypts `plaintext` into `ciphertext` (same length; may be the same memory) and returns the tag.
/// An IV may be used once under a key: the caller owns that promise (NIST SP 800-38D section 8).
/// Errors: bad_length if the lengths differ, too_large above 2 GiB, internal.
Result<GcmTag> aes256gcm_seal(const Secret<32>& key, const GcmIv& iv, Bytes aad, Bytes plaintext, MutBytes ciphertext);

/// aes256gcm_open decrypts `ciphertext` into `plaintext` (same length; may be the same memory).
/// Errors: tag_failed (`plaintext` is wiped), bad_length if the lengths differ, too_large above 2 GiB, internal.
Status aes256gcm_open(const Secret<32>& key, const GcmIv& iv, Bytes aad, Bytes ciphertext, const GcmTag& tag,
                      MutBytes plaintext);

}  // namespace attestbed::crypto
