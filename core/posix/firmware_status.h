// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace attestbed::posix {

/// firmware_status_text is a status of the SNP firmware by name and number, "INVALID_PARAM (0x16)"; the number alone
/// where the firmware has no such status. Spec: 56860, status codes.
std::string firmware_status_text(std::uint64_t status);

/// exit_text is SW_EXITINFO2 of a guest request: the hypervisor's word in the high half, "hypervisor: BUSY (0x2)", the
/// firmware's in the low half. Spec: 56421, SNP guest request.
std::string exit_text(std::uint64_t exitinfo2);

}  // namespace attestbed::posix
