// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/verify/vek.h"

namespace attestbed::tools {

/// fetch_vcek_command is how people get the VCEK of a report's chip and REPORTED_TCB from AMD's KDS: a shell command,
/// and what to do with the file. Where the report does not say enough (no report, a masked chip) the address has the
/// missing parts in angle brackets; of a VLEK it says who has it.
std::string fetch_vcek_command(const std::optional<snp::RawReport>& report);

/// fetch_crl_command is the same for the CRL of the root behind `vek`; empty without one.
std::string fetch_crl_command(const std::optional<verify::Vek>& vek);

}  // namespace attestbed::tools
