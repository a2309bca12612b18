// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
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

/// read_cpuid_rsp takes the results out of a decrypted MSG_CPUID_RSP: one for each function that was asked, in that
/// order. After an error the functions are as they were.
///   errors  truncated, trailing_bytes; firmware_status with STATUS in `found`; bad_value if the reply is about
///           other functions
Status read_cpuid_rsp(Bytes payload, std::span<CpuidFunction> functions);

}  // namespace attestbed::snp
