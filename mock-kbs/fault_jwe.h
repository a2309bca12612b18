// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mock-kbs/fault_noise.h"
#include "mock-kbs/fault_plan.h"
#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// odd_jwe seals a secret as one of the jwe_* kinds has it: an honest JWE but for the one thing. Where the list of
/// kinds says "sound", the JWE is one that RFC 7516 has a recipient open, and the oddity is covered by tag and key.
///   errors  key_unsupported for a kind that has no meaning for the key; what sealing returns
Checked<std::string> odd_jwe(FaultKind kind, FaultNoise noise, const SealedSecret& sealed, Entropy& entropy);

}  // namespace attestbed::kbs
