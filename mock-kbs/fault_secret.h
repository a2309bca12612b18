// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mock-kbs/fault_noise.h"
#include "mock-kbs/fault_plan.h"
#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// break_secret seals the secret of a resource answer again, as the fault has it. False, and the answer as it was, if
/// there is none or the fault has no meaning for the guest's key.
bool break_secret(const Fault& fault, FaultNoise noise, Entropy& entropy, Response& response);

/// expire_token puts a token of the broker's own into the answer that is like the one in it, but expired an hour ago.
/// False if there is none.
bool expire_token(const Broker& broker, Response& response);

}  // namespace attestbed::kbs
