// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "mock-kbs/broker_state.h"

// A reference entry in the admin API. Every text that a caller sent is judged before it is used.
namespace attestbed::kbs {

/// decode_entry reads a whole reference entry; the members are those of a [[guest]] in the configuration file, with
/// `measurements` (a list of 96 hex digits each), `roots` ("amd", or PEM), `minimum_tcb` (an object of numbers) and
/// `resources` (path to standard base64). All but measurements and roots may be absent: what is absent is not demanded.
///   errors  the JSON codes; bad_value for a name or a member that is none; bad_config, bad_base64
Checked<ReferenceEntry> decode_entry(std::string_view name, std::string_view body);

/// describe_entry is all of it but its secrets, of which it has the sizes.
nlohmann::ordered_json describe_entry(const ReferenceEntry& entry);

/// secret_sizes is path -> octets.
nlohmann::ordered_json secret_sizes(const SharedResources& resources);

}  // namespace attestbed::kbs
