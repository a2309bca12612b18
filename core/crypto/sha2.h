// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "core/base/bytes.h"
#include "core/base/result.h"

// The functions of core/crypto are declared here and defined by the one library a program links: core_openssl for
// hosted builds. Fixed lengths are in the types, so a wrong length does not compile.
namespace attestbed::crypto {

using Sha256Digest = ByteArray<32>;
using Sha384Digest = ByteArray<48>;
using Sha512Digest = ByteArray<64>;

/// sha256, sha384, sha512 hash the concatenation of `parts` (FIPS 180-4). Errors: internal.
Result<Sha256Digest> sha256(std::initializer_list<Bytes> parts);
Result<Sha384Digest> sha384(std::initializer_list<Bytes> parts);
Result<Sha512Digest> sha512(std::initializer_list<Bytes> parts);

}  // namespace attestbed::crypto
