// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/crypto/ecdh.h"
#include "core/protocol/challenge.h"
#include "core/snp/report.h"

namespace attestbed::protocol {

/// Binding is the rule that puts the guest's key and the challenge into REPORT_DATA; KeyType the guest's key.
enum class Binding : std::uint8_t { svsm_sha512, kbs_sha384 };
enum class KeyType : std::uint8_t { p521, p256, rsa3072 };

const char* binding_name(Binding binding);  // "svsm-sha512", "kbs-sha384"
const char* key_type_name(KeyType key);     // "P-521", "P-256", "RSA-3072"
Result<Binding> binding_named(std::string_view name, const char* where);
Result<KeyType> key_type_named(std::string_view name, const char* where);

/// check_pair refuses every pair that does not exist, and for now every pair but svsm-sha512 with P-521. The table of
/// pairs is in docs/protocol.md. Errors: bad_config.
Status check_pair(Binding binding, KeyType key);

/// bind_svsm_sha512 is SHA-512(x || y || challenge), 66-octet coordinates (docs/protocol.md). There is no
/// `params` argument: nobody else picks the preimage.
Result<snp::ReportData> bind_svsm_sha512(const crypto::EcPoint& key, const Challenge& challenge);

}  // namespace attestbed::protocol
