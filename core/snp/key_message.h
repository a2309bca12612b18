// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/secret.h"
#include "core/snp/report.h"

namespace attestbed::snp {

// MSG_KEY_REQ.KEY_SELECT: bit 0 is ROOT_KEY_SELECT, bits 2:1 are KEY_SEL with the values of MSG_REPORT_REQ.
inline constexpr std::uint32_t kRootKeyVek = 0, kRootKeyVmrk = 1;
constexpr std::uint32_t key_select(std::uint32_t root_key, std::uint32_t key_sel) {
  return (root_key & 1U) | (key_sel & 3U) << 1;
}

// MSG_KEY_REQ.GUEST_FIELD_SELECT: what else the key depends on. The mitigation vector exists in message version 2 only.
inline constexpr std::uint64_t kKeyFieldPolicy = 1 << 0, kKeyFieldImageId = 1 << 1, kKeyFieldFamilyId = 1 << 2,
                               kKeyFieldMeasurement = 1 << 3, kKeyFieldGuestSvn = 1 << 4, kKeyFieldTcb = 1 << 5,
                               kKeyFieldLaunchMitVector = 1 << 6;

/// MsgKeyReq asks for a key that only this guest on this chip can get again (56860 MSG_KEY_REQ).
struct MsgKeyReq {
  le32 key_select;
  le32 reserved;
  le64 guest_field_select;
  le32 vmpl;
  le32 guest_svn;  // used if selected, as is the next
  TcbVersion tcb_version;
};
static_assert(sizeof(MsgKeyReq) == 32 && alignof(MsgKeyReq) == 1 && offsetof(MsgKeyReq, tcb_version) == 0x18);

/// MsgKeyReq2 is message version 2.
struct MsgKeyReq2 {
  MsgKeyReq base;
  le64 launch_mit_vector;
};
static_assert(sizeof(MsgKeyReq2) == 40 && alignof(MsgKeyReq2) == 1);

struct MsgKeyRsp {
  le32 status;
  std::uint8_t reserved[28];
  ByteArray<32> key;
};
static_assert(sizeof(MsgKeyRsp) == 64 && alignof(MsgKeyRsp) == 1 && offsetof(MsgKeyRsp, key) == 0x20);

using DerivedKey = Secret<32>;

/// parse_key_rsp takes the key out of a decrypted MSG_KEY_RSP. The caller wipes `payload`.
///   errors  truncated, trailing_bytes, reserved_set; firmware_status with STATUS in `found`
Result<DerivedKey> parse_key_rsp(Bytes payload);

}  // namespace attestbed::snp
