// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/snp/report.h"

namespace attestbed::kbs {

/// TcbComponent is one security version of a TCB and its name in configuration files and in the admin API.
struct TcbComponent {
  const char* name;
  std::uint8_t snp::Tcb::*level;
};
inline constexpr TcbComponent kTcbComponents[] = {{"bootloader", &snp::Tcb::boot_loader},
                                                  {"tee", &snp::Tcb::tee},
                                                  {"snp", &snp::Tcb::snp},
                                                  {"microcode", &snp::Tcb::microcode},
                                                  {"fmc", &snp::Tcb::fmc}};
inline constexpr char kTcbComponentNames[] = "bootloader, tee, snp, microcode or fmc";

}  // namespace attestbed::kbs
