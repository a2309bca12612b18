// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/wire.h"

namespace attestbed::snp {

inline constexpr std::size_t kMaxCpuidFunctions = 64;

/// CpuidFunction is one CPUID leaf in a MSG_CPUID_REQ and, with its results, in the reply (56860 CPUID_FUNCTION).
struct CpuidFunction {
  le32 eax_in, ecx_in;
  le64 xcr0_in, xss_in;
  le32 eax, ebx, ecx, edx;
  le64 reserved;
};
static_assert(sizeof(CpuidFunction) == 48 && alignof(CpuidFunction) == 1);

/// MsgCpuidReq is followed by `count` functions, 0 to 64 of them.
struct MsgCpuidReq {
  le32 count;
  le32 reserved0;
  le64 reserved1;
};
struct MsgCpuidRsp {
  le32 status;
  le32 count;
  le64 reserved;
};
static_assert(sizeof(MsgCpuidReq) == 16 && sizeof(MsgCpuidRsp) == 16 && alignof(MsgCpuidRsp) == 1);

}  // namespace attestbed::snp
