// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mock-kbs/fault_noise.h"
#include "mock-kbs/fault_plan.h"
#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// break_body does to an answer what a fault can do with nothing but the answer: status, redirects, bodies, members,
/// nonce, cookie, token text, and how the answer is delivered. False, and the answer as it was, if the fault finds
/// nothing to break in it: a cookie that is not there, a member of what is no object.
///   at  the endpoint that answered
bool break_body(const Fault& fault, FaultEndpoint at, FaultNoise noise, Response& response);

}  // namespace attestbed::kbs
