// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/snp/report.h"
#include "core/verify/crl.h"

namespace attestbed::tools {

/// describe makes the one description that text and JSON output share: octets and bit fields as hex strings, small
/// numbers as numbers. A field with more to say is an object whose first member is `value`.
nlohmann::ordered_json describe(const snp::RawReport& report);
nlohmann::ordered_json describe(const verify::Certificate& certificate);
nlohmann::ordered_json describe(const verify::Crl& crl);

/// describe_facts is what a relying party judges and a verifier without policy does not: policy, VMPL, measurement, …
nlohmann::ordered_json describe_facts(const snp::RawReport& report);

/// as_text prints one line a field: name, value, and what the value means; of a list its length, then a line for each
/// element.
std::string as_text(const nlohmann::ordered_json& description);

}  // namespace attestbed::tools
