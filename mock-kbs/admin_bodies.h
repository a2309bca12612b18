// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "mock-kbs/broker_state.h"
#include "mock-kbs/fault_plan.h"

// The bodies of the admin API but reference entries, read and written. Every text that a caller sent is judged before
// it is used.
namespace attestbed::kbs {

/// decode_policy reads {"policy": base64url}: inside is the name of one of the four policies, or
/// {"base": name, "rules": [{"name", "allow", "resource", "tee", "status", "entry"}, ...]}, where a rule needs `allow`;
/// its name is rule-N unless it has another.
///   errors  the JSON codes; bad_base64; bad_config
Checked<ResourcePolicy> decode_policy(std::string_view body);

/// decode_faults reads {"seed": n, "faults": [text, ...]}; `seed` may be absent.
///   errors  the JSON codes; bad_config
Checked<FaultPlan> decode_faults(std::string_view body);
std::string encode_faults(const FaultPlan& plan);

/// encode_state writes what holds now: no secret, but the size of each.
std::string encode_state(const BrokerValues& values, const FaultPlan& plan, std::size_t sessions);

}  // namespace attestbed::kbs
