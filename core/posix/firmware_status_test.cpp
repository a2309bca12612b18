// SPDX-License-Identifier: Apache-2.0
#include "core/posix/firmware_status.h"

#include <gtest/gtest.h>

namespace attestbed::posix {
namespace {

// The numbers are those of Linux' include/uapi/linux/psp-sev.h: one of each row in which a name could have slipped.
TEST(FirmwareStatus, IsANameAndANumber) {
  const struct {
    std::uint64_t status;
    const char* text;
  } cases[] = {
      {0x00, "SUCCESS (0x0)"},
      {0x01, "INVALID_PLATFORM_STATE (0x1)"},
      {0x07, "POLICY_FAILURE (0x7)"},
      {0x0a, "BAD_SIGNATURE (0xa)"},
      {0x0b, "BAD_MEASUREMENT (0xb)"},
      {0x0d, "INVALID_ASID (0xd)"},
      {0x10, "INVALID_GUEST (0x10)"},
      {0x15, "UNSUPPORTED (0x15)"},
      {0x16, "INVALID_PARAM (0x16)"},
      {0x19, "INVALID_PAGE_SIZE (0x19)"},
      {0x1d, "AEAD_OFLOW (0x1d)"},
      {0x1e, "0x1e"},
      {0x1f, "RB_MODE_EXITED (0x1f)"},
      {0x27, "INVALID_KEY (0x27)"},
      {0x28, "SHUTDOWN_INCOMPLETE (0x28)"},
      {0x29, "0x29"},
      {0xffffffff, "0xffffffff"},
  };
  for (const auto& [status, text] : cases) EXPECT_EQ(firmware_status_text(status), text);
}

TEST(FirmwareStatus, OfAnExitSaysWhoseWordItIs) {
  EXPECT_EQ(exit_text(0x16), "INVALID_PARAM (0x16)");
  EXPECT_EQ(exit_text(0x1'00000000), "hypervisor: INVALID_LEN (0x1)");
  EXPECT_EQ(exit_text(0x2'00000000), "hypervisor: BUSY (0x2)");
  EXPECT_EQ(exit_text(0xffffffff'00000000), "hypervisor: 0xffffffff");
  EXPECT_EQ(exit_text(0x3'00000027), "hypervisor: 0x3, firmware: INVALID_KEY (0x27)");
}

}  // namespace
}  // namespace attestbed::posix
