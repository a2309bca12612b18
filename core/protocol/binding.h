// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/protocol/challenge.h"
#include "core/protocol/guest_key.h"
#include "core/snp/report.h"

namespace attestbed::protocol {

/// Binding is the rule that puts the guest's key and the challenge into REPORT_DATA.
enum class Binding : std::uint8_t { svsm_sha512, kbs_sha384 };

const char* binding_name(Binding binding);  // "svsm-sha512", "kbs-sha384"
Result<Binding> binding_named(std::string_view name, const char* where);

/// check_pair refuses every pair but svsm-sha512 with P-521 and kbs-sha384 with P-521, P-256 and RSA-3072
/// (docs/protocol.md, terms). Errors: bad_config, whose text lists the pairs that exist.
Status check_pair(Binding binding, KeyType key);

/// bind computes REPORT_DATA by the rule `binding`. There is no `params` argument: nobody else picks the preimage.
/// Errors: bad_config for a pair that does not exist, internal.
Result<snp::ReportData> bind(Binding binding, const GuestPublicKey& key, const Challenge& challenge);

/// bind_svsm_sha512 is SHA-512(x || y || challenge), 66-octet coordinates: P-521 only.
Result<snp::ReportData> bind_svsm_sha512(const GuestPublicKey& key, const Challenge& challenge);

/// bind_kbs_sha384 is the SHA-384 of write_binding_text's octets, then 16 zero octets.
Result<snp::ReportData> bind_kbs_sha384(const GuestPublicKey& key, const Challenge& challenge);

/// write_binding_text writes what kbs-sha384 hashes: {"additional-evidence":"","nonce":N,"tee-pubkey":K} in the form of
/// RFC 8785, N the challenge in standard base64, K the key as write_jwk has it. It is made of values alone, so no text
/// of the host's can get into it. Errors: no_space.
inline constexpr std::size_t kMaxBindingTextBytes = 768;
Result<Bytes> write_binding_text(const GuestPublicKey& key, const Challenge& challenge, MutBytes into);

}  // namespace attestbed::protocol
