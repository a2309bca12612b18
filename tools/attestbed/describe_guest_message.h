// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "core/snp/guest_message.h"
#include "core/verify/refusal.h"

namespace attestbed::tools {

/// looks_like_guest_message holds for a page whose clear header is of the only algorithm, version and size there is.
bool looks_like_guest_message(Bytes octets);

/// describe_guest_message is the clear header of a page; with the page's VMPCK also what it encrypts, and of a report's
/// answer the report. Payloads that carry keys are named and never shown.
///   errors  bad_length; bad_value and firmware_reply as open_guest_message has them
verify::Checked<std::vector<nlohmann::ordered_json>> describe_guest_message(Bytes page, const snp::Vmpck* key);

}  // namespace attestbed::tools
