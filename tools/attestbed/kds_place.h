// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/snp/report.h"

namespace attestbed::tools {

/// kds_place is where AMD's KDS has the VCEK of a report's chip and REPORTED_TCB, for people to fetch it; with what is
/// missing named in angle brackets where the report does not say (no report, version 2, a masked chip, a VLEK).
std::string kds_place(const std::optional<snp::RawReport>& report);

}  // namespace attestbed::tools
