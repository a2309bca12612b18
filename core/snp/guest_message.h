// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/wire.h"
#include "core/snp/vmpck.h"

namespace attestbed::snp {

/// GuestMessageHeader is the clear part of a guest message page (56860, guest messages, message header).
struct GuestMessageHeader {
  std::uint8_t authtag[32];  // 0x00  GCM tag in the first 16 octets
  le64 seqno;                // 0x20
  std::uint8_t reserved0[8];
  std::uint8_t algo;            // 0x30  1 = AES-256-GCM
  std::uint8_t header_version;  // 0x31  1
  le16 header_size;             // 0x32  0x60
  std::uint8_t type;            // 0x34
  std::uint8_t version;         // 0x35
  le16 payload_size;            // 0x36
  le32 reserved1;
  std::uint8_t vmpck;  // 0x3c
  std::uint8_t reserved2[35];
};
inline constexpr std::size_t kHeaderBytes = 0x60;
inline constexpr std::size_t kAadOffset = 0x30;  // AAD is 0x30..0x5f
inline constexpr std::size_t kMaxPayloadBytes = kPageBytes - kHeaderBytes;
static_assert(sizeof(GuestMessageHeader) == kHeaderBytes && alignof(GuestMessageHeader) == 1);
static_assert(offsetof(GuestMessageHeader, algo) == kAadOffset && offsetof(GuestMessageHeader, vmpck) == 0x3c);

inline constexpr std::uint8_t kAlgoAes256Gcm = 1, kHeaderVersion = 1;

enum class MsgType : std::uint8_t {
  cpuid_req = 1,
  cpuid_rsp,
  key_req,
  key_rsp,
  report_req,
  report_rsp,
  export_req,
  export_rsp,
  import_req,
  import_rsp,
  absorb_req,
  absorb_rsp,
  vmrk_req,
  vmrk_rsp,
  absorb_noma_req,
  absorb_noma_rsp,
  tsc_info_req,
  tsc_info_rsp,
};

/// GuestMessage is what a page says once its tag is checked.
///   payload  1..4000 octets, a view into the scratch page it was opened into
struct GuestMessage {
  MsgType type;
  std::uint8_t version;
  std::uint8_t vmpck;
  std::uint64_t seqno;
  Bytes payload;
};

/// seal_guest_message encrypts `message` into `page` under the VMPCK. The sequence number is the GCM IV: the caller
/// promises that it was never used with another plaintext.
///   errors  bad_length if the payload is empty or above 4000 octets, internal
Status seal_guest_message(const Vmpck& key, const GuestMessage& message, Page& page);

/// open_guest_message authenticates and decrypts one page.
///   page     4096 octets, host-writable: copied once into `scratch` before any check
///   returns  the message; its payload views `scratch`
///   errors   header field -> bad_value (where = field); tag -> firmware_reply. `scratch` is wiped on error.
///   spec     SNP ABI 56860, guest messages; IV = MSG_SEQNO little-endian, zero-extended to 96 bits. Reserved octets of
///            the header are not demanded to be zero: real firmware leaves some set (project-oak, oak_sev_guest).
Result<GuestMessage> open_guest_message(const Vmpck& key, const Page& page, Page& scratch);

}  // namespace attestbed::snp
