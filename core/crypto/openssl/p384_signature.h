// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/crypto/openssl/handles.h"
#include "core/snp/report.h"

namespace attestbed::openssl {

/// verifies_p384 says whether `signature` is one by `key` over SHA-384 of `message`, as SNP signs reports, ID blocks
/// and ID keys (SNP firmware ABI, "Signature Format": R and S little-endian). It reads the lower 48 octets of each
/// number; that the rest is zero is the caller's to judge. False too if OpenSSL had no memory.
bool verifies_p384(EVP_PKEY* key, const snp::RawSignature& signature, Bytes message);

}  // namespace attestbed::openssl
