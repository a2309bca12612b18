// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/wire.h"

namespace attestbed::snp {

/// Guid is a GUID in the octet order of its text (RFC 4122), as certificate tables have it.
using Guid = ByteArray<16>;

inline constexpr Guid kArkGuid{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                               0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};
inline constexpr Guid kAskGuid{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                               0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};  // or ASVK
inline constexpr Guid kVcekGuid{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
inline constexpr Guid kVlekGuid{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
inline constexpr Guid kCrlGuid{0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
                               0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea};
/// What go-sev-guest adds beside a guest's own evidence: CPUID 1 EAX.
inline constexpr Guid kPlatformInfoGuid{0xec, 0xae, 0x0c, 0x0f, 0x95, 0x02, 0x43, 0xb1,
                                        0xaf, 0xa2, 0x0a, 0xe2, 0xe0, 0xd5, 0x65, 0xb6};

/// guid_name is "ARK", "ASK", "VCEK", "VLEK", "CRL", "platform-info", or "unknown" for any other.
const char* guid_name(const Guid& guid);

/// RawCertificateEntry is one row of the table as it lies in memory; a row of zeros ends the rows, then the data
/// follow.
struct RawCertificateEntry {
  Guid guid;
  le32 offset;  // from the table's first octet
  le32 length;
};
static_assert(sizeof(RawCertificateEntry) == 24 && alignof(RawCertificateEntry) == 1);

/// CertificateEntry is what a row stands for.
struct CertificateEntry {
  Guid guid;
  Bytes octets;
};

inline constexpr std::size_t kMaxCertificateEntries = 16;

/// CertificateTable is a certificate table that was found well-formed; it views the octets it was parsed from.
class CertificateTable {
 public:
  /// parse judges the table that a host gives with an extended guest request. It says nothing about what the entries
  /// hold. Octets that belong to no entry (padding) are not looked at.
  ///   errors  truncated (the octets end before the row of zeros), too_large (more than kMaxCertificateEntries),
  ///           bad_length (an entry without octets, one that begins inside the rows, one that ends outside the table),
  ///           bad_value (no GUID, a GUID that was there before, octets that belong to another entry, too)
  ///   spec    56421, SNP extended guest request
  static Result<CertificateTable> parse(Bytes table);

  std::span<const CertificateEntry> entries() const { return std::span(entries_).first(count_); }
  /// find returns the octets of the entry with this GUID; empty if there is none.
  Bytes find(const Guid& guid) const;
  /// octets is the table up to the end of its rows or of its last entry: without the padding to whole pages.
  Bytes octets() const { return octets_; }

 private:
  CertificateTable() = default;
  std::array<CertificateEntry, kMaxCertificateEntries> entries_{};
  std::size_t count_ = 0;
  Bytes octets_;
};

/// certificates_in is what a guest passes on of the octets that its host gave as a table: the table without its
/// padding; nothing if it has no entry or is not well-formed. Endorsements are no evidence, so a guest without them
/// goes on.
Bytes certificates_in(Bytes given);

/// encode_certificate_table writes the table of `entries`, in their order and without gaps, so that parse gives them
/// back. No entry at all makes the row of zeros.
///   errors  no_space, too_large (more than kMaxCertificateEntries, or 4 GiB), bad_length (an entry without octets),
///           bad_value (no GUID, or a repeated one)
Result<Bytes> encode_certificate_table(std::span<const CertificateEntry> entries, MutBytes into);

}  // namespace attestbed::snp
