// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/wire.h"

namespace attestbed::snp {

inline constexpr std::size_t kReportBytes = 1184;
inline constexpr std::size_t kSignedReportBytes = 0x2a0;

using ReportData = ByteArray<64>;
using Measurement = ByteArray<48>;
using ChipId = ByteArray<64>;

/// TcbVersion is TCB_VERSION as it lies in the report: one security patch level an octet, whose meaning depends on the
/// product (56860 TCB_VERSION: Milan and Genoa in one order, Turin in another).
using TcbVersion = ByteArray<8>;

enum class Product : std::uint8_t { milan, genoa, turin };
const char* product_name(Product product);  // "Milan", "Genoa", "Turin"

/// Tcb is a TcbVersion taken apart; fmc is 0 and absent from certificates except on Turin.
struct Tcb {
  std::uint8_t fmc = 0, boot_loader = 0, tee = 0, snp = 0, microcode = 0;
  friend bool operator==(const Tcb&, const Tcb&) = default;
};
Tcb decode_tcb(Product product, const TcbVersion& octets);
TcbVersion encode_tcb(Product product, const Tcb& tcb);

/// RawSignature is ECDSA P-384 as the firmware writes it: little-endian numbers in 72-octet fields, upper 24 zero.
struct RawSignature {
  std::uint8_t r[72], s[72];
  std::uint8_t reserved[368];
};

struct FirmwareVersion {
  std::uint8_t build, minor, major;
  std::uint8_t reserved;
};

/// RawReport is ATTESTATION_REPORT (SNP ABI 56860, structure ATTESTATION_REPORT; versions 2 to 5), 1184 octets. A value
/// of this type says nothing about truth: only core/verify turns it into a VerifiedReport.
struct RawReport {
  le32 version;                     // 0x000  2, 3 or 5
  le32 guest_svn;                   // 0x004
  le64 policy;                      // 0x008
  std::uint8_t family_id[16];       // 0x010
  std::uint8_t image_id[16];        // 0x020
  le32 vmpl;                        // 0x030
  le32 signature_algo;              // 0x034  1 = ECDSA P-384 with SHA-384
  TcbVersion current_tcb;           // 0x038
  le64 platform_info;               // 0x040
  le32 key_flags;                   // 0x048  bit 0 AUTHOR_KEY_EN, bit 1 MASK_CHIP_KEY, bits 4:2 SIGNING_KEY
  le32 reserved0;                   // 0x04c
  ReportData report_data;           // 0x050
  Measurement measurement;          // 0x090
  ByteArray<32> host_data;          // 0x0c0
  ByteArray<48> id_key_digest;      // 0x0e0
  ByteArray<48> author_key_digest;  // 0x110
  ByteArray<32> report_id;          // 0x140
  ByteArray<32> report_id_ma;       // 0x160
  TcbVersion reported_tcb;          // 0x180
  std::uint8_t cpuid_family;        // 0x188  version 3 and later, as the next two; reserved before
  std::uint8_t cpuid_model;         // 0x189
  std::uint8_t cpuid_step;          // 0x18a
  std::uint8_t reserved1[21];       // 0x18b
  ChipId chip_id;                   // 0x1a0
  TcbVersion committed_tcb;         // 0x1e0
  FirmwareVersion current;          // 0x1e8
  FirmwareVersion committed;        // 0x1ec
  TcbVersion launch_tcb;            // 0x1f0
  le64 launch_mit_vector;           // 0x1f8  version 5; reserved before
  le64 current_mit_vector;          // 0x200  version 5; reserved before
  std::uint8_t reserved2[152];      // 0x208
  RawSignature signature;           // 0x2a0
};
static_assert(sizeof(RawReport) == kReportBytes && alignof(RawReport) == 1);
static_assert(offsetof(RawReport, key_flags) == 0x048 && offsetof(RawReport, report_data) == 0x050);
static_assert(offsetof(RawReport, measurement) == 0x090 && offsetof(RawReport, report_id) == 0x140);
static_assert(offsetof(RawReport, reported_tcb) == 0x180 && offsetof(RawReport, chip_id) == 0x1a0);
static_assert(offsetof(RawReport, current) == 0x1e8 && offsetof(RawReport, launch_tcb) == 0x1f0);
static_assert(offsetof(RawReport, reserved2) == 0x208 && offsetof(RawReport, signature) == kSignedReportBytes);

inline Bytes octets_of(const RawReport& report) {
  return {reinterpret_cast<const std::uint8_t*>(&report), sizeof report};
}

/// SigningKey is key flag bits 4:2.
enum class SigningKey : std::uint8_t { vcek = 0, vlek = 1, none = 7 };

constexpr bool author_key_enabled(std::uint32_t key_flags) {
  return (key_flags & 1U) != 0;
}
constexpr bool chip_key_masked(std::uint32_t key_flags) {
  return (key_flags & 2U) != 0;
}
constexpr std::uint32_t signing_key_bits(std::uint32_t key_flags) {
  return (key_flags >> 2) & 7U;
}

inline constexpr std::uint64_t kPolicySmtAllowed = 1ULL << 16;
inline constexpr std::uint64_t kPolicyReservedOne = 1ULL << 17;
inline constexpr std::uint64_t kPolicyMigrateMa = 1ULL << 18;
inline constexpr std::uint64_t kPolicyDebug = 1ULL << 19;
inline constexpr std::uint64_t kPolicySingleSocket = 1ULL << 20;
inline constexpr std::uint64_t kPolicyPageSwapDisabled = 1ULL << 25;

/// policy_bits are the bits of POLICY that firmware with reports of `version` knows. PAGE_SWAP_DISABLE came with
/// version
/// 5. Bits 24:21 were published while 2 was the only version (virtee/sev pull request 146), so 2 and 3 may show them.
constexpr std::uint64_t policy_bits(std::uint32_t version) {
  constexpr std::uint64_t kUpToPageSwap = (kPolicyPageSwapDisabled << 1) - 1;
  return version < 5 ? kUpToPageSwap & ~kPolicyPageSwapDisabled : kUpToPageSwap;
}

/// product_of maps combined CPUID family and model (report version 3 and later) to the product line.
/// Errors: product_unknown with family << 8 | model in `found`.
Result<Product> product_of(std::uint8_t family, std::uint8_t model);

/// parse_report checks a report's form: length, known version, and what that version reserves.
///   errors  bad_length, report_version, report_reserved, report_policy_bits; `where` names the field
Result<RawReport> parse_report(Bytes octets);

// Guest request payloads (56860 MSG_REPORT_REQ, MSG_REPORT_RSP).
inline constexpr std::uint32_t kKeySelVlekIfLoaded = 0, kKeySelVcek = 1, kKeySelVlek = 2;
struct MsgReportReq {
  ReportData report_data;
  le32 vmpl;
  le32 key_sel;
  std::uint8_t reserved[24];
};
static_assert(sizeof(MsgReportReq) == 96 && alignof(MsgReportReq) == 1);
struct MsgReportRsp {
  le32 status;
  le32 report_size;
  std::uint8_t reserved[24];
  RawReport report;
};
static_assert(sizeof(MsgReportRsp) == 1216 && alignof(MsgReportRsp) == 1);

/// parse_report_rsp takes the report out of a decrypted MSG_REPORT_RSP.
///   errors  truncated, trailing_bytes, bad_length, reserved_set; firmware_status with STATUS in `found`
Result<RawReport> parse_report_rsp(Bytes payload);

}  // namespace attestbed::snp
