// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sim/machine.h"

namespace attestbed::sim {

/// host_certificates is the certificate table that the machine's owner hands to the hypervisor: VCEK, ASK and
/// ARK, or if a VLEK is loaded VLEK, ASVK and ARK. Errors: those of snp::encode_certificate_table.
Result<std::vector<std::uint8_t>> host_certificates(const Machine& machine);

}  // namespace attestbed::sim
