// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/secret.h"

namespace attestbed::snp {

/// Vmpck is a VM platform communication key: AES-256, shared by one guest's VMPL and the firmware.
using Vmpck = Secret<32>;
inline constexpr unsigned kVmpckCount = 4;

inline constexpr std::size_t kPageBytes = 4096;
/// Page is a guest page. Request and reply pages are shared with the host: copy once, then judge.
using Page = ByteArray<kPageBytes>;

inline constexpr std::size_t kSecretsVmpckOffset = 0x20;

/// vmpck_from_secrets_page finds VMPCK `number` (0..3) in the guest's secrets page (56860 secrets page; LX asm/sev.h).
///   errors  bad_length, bad_value for the number, vmpck_lost if the key is all zero (wiped by an earlier owner)
Result<Vmpck> vmpck_from_secrets_page(Bytes page, unsigned number);

}  // namespace attestbed::snp
