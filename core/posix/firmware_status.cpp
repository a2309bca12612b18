// SPDX-License-Identifier: Apache-2.0
#include "core/posix/firmware_status.h"

#include <iterator>

#include "core/posix/describe.h"
#include "core/snp/guest_request.h"

namespace attestbed::posix {
namespace {

// In the order of their numbers, from 0. There is no 0x1e.
constexpr const char* kNames[] = {
    "SUCCESS",
    "INVALID_PLATFORM_STATE",
    "INVALID_GUEST_STATE",
    "INVALID_CONFIG",
    "INVALID_LENGTH",
    "ALREADY_OWNED",
    "INVALID_CERTIFICATE",
    "POLICY_FAILURE",
    "INACTIVE",
    "INVALID_ADDRESS",
    "BAD_SIGNATURE",
    "BAD_MEASUREMENT",
    "ASID_OWNED",
    "INVALID_ASID",
    "WBINVD_REQUIRED",
    "DFFLUSH_REQUIRED",
    "INVALID_GUEST",
    "INVALID_COMMAND",
    "ACTIVE",
    "HWERROR_PLATFORM",
    "HWERROR_UNSAFE",
    "UNSUPPORTED",
    "INVALID_PARAM",
    "RESOURCE_LIMIT",
    "SECURE_DATA_INVALID",
    "INVALID_PAGE_SIZE",
    "INVALID_PAGE_STATE",
    "INVALID_MDATA_ENTRY",
    "INVALID_PAGE_OWNER",
    "AEAD_OFLOW",
    nullptr,
    "RB_MODE_EXITED",
    "RMP_INIT_REQUIRED",
    "BAD_SVN",
    "BAD_VERSION",
    "SHUTDOWN_REQUIRED",
    "UPDATE_FAILED",
    "RESTORE_REQUIRED",
    "RMP_INITIALIZATION_FAILED",
    "INVALID_KEY",
    "SHUTDOWN_INCOMPLETE",
};

std::string named(const char* name, std::uint64_t number) {
  return name == nullptr ? hex_number(number) : std::string(name) + " (" + hex_number(number) + ")";
}

const char* hypervisor_word(std::uint64_t vmm) {
  if (vmm == snp::kVmmInvalidLen) return "INVALID_LEN";
  return vmm == snp::kVmmBusy ? "BUSY" : nullptr;
}

}  // namespace

std::string firmware_status_text(std::uint64_t status) {
  return named(status < std::size(kNames) ? kNames[status] : nullptr, status);
}

std::string exit_text(std::uint64_t exitinfo2) {
  const std::uint64_t vmm = exitinfo2 >> 32, firmware = exitinfo2 & 0xffffffff;
  if (vmm == 0) return firmware_status_text(firmware);
  const std::string text = "hypervisor: " + named(hypervisor_word(vmm), vmm);
  return firmware == 0 ? text : text + ", firmware: " + firmware_status_text(firmware);
}

}  // namespace attestbed::posix
