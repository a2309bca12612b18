// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/wire.h"

namespace attestbed::snp {

/// MsgTscInfoReq asks what a guest with a secure TSC has to calculate with (56860 MSG_TSC_INFO_REQ).
struct MsgTscInfoReq {
  std::uint8_t reserved[128];
};
struct MsgTscInfoRsp {
  le32 status;
  le32 reserved0;
  le64 tsc_scale;
  le64 tsc_offset;
  le32 tsc_factor;
  std::uint8_t reserved1[100];
};
static_assert(sizeof(MsgTscInfoReq) == 128 && sizeof(MsgTscInfoRsp) == 128 && alignof(MsgTscInfoRsp) == 1);
static_assert(offsetof(MsgTscInfoRsp, tsc_scale) == 0x08 && offsetof(MsgTscInfoRsp, reserved1) == 0x1c);

/// TscInfo is what the firmware says of a guest's time stamp counter.
///   scale   guest frequency over host frequency, 8.32 fixed point
///   offset  added to the scaled counter
///   factor  by how many 1/100000 the mean frequency is below the nominal one
struct TscInfo {
  std::uint64_t scale = 0, offset = 0;
  std::uint32_t factor = 0;
  friend bool operator==(const TscInfo&, const TscInfo&) = default;
};

/// parse_tsc_info_rsp reads a decrypted MSG_TSC_INFO_RSP. What later firmware may put into reserved octets is let be.
///   errors  truncated, trailing_bytes; firmware_status with STATUS in `found`
Result<TscInfo> parse_tsc_info_rsp(Bytes payload);

}  // namespace attestbed::snp
