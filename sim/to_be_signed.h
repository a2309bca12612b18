// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/ca_description.h"
#include "sim/signing_key.h"

namespace attestbed::sim {

// What an authority of this description signs, as the keys and the description decide it. A saved directory is checked
// by making these parts again. All fail with `internal` where OpenSSL fails.

Result<Der> ark_to_be_signed(const Description& description, const SigningKey& ark);
Result<Der> intermediate_to_be_signed(const Description& description, VekLine line, const SigningKey& own,
                                      const SigningKey& ark);
Result<Der> vek_to_be_signed(const Description& description, VekLine line, const SigningKey& own);
Result<Der> crl_to_be_signed(const Description& description, const SigningKey& ark,
                             std::span<const std::uint32_t> revoked);

/// derive_vek_key makes the key that the chip has for this TCB as VCEK, or has for this TCB and CSP_ID as VLEK.
Result<SigningKey> derive_vek_key(const SigningKey::Context& chip, const Description& description, VekLine line);

}  // namespace attestbed::sim
