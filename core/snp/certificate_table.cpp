// SPDX-License-Identifier: Apache-2.0
#include "core/snp/certificate_table.h"

#include <algorithm>
#include <limits>

#include "core/base/reader.h"
#include "core/base/writer.h"

namespace attestbed::snp {
namespace {

constexpr std::size_t kRowBytes = sizeof(RawCertificateEntry);

struct Name {
  Guid guid;
  const char* name;
};
constexpr Name kNames[] = {{kArkGuid, "ARK"},   {kAskGuid, "ASK"}, {kVcekGuid, "VCEK"},
                           {kVlekGuid, "VLEK"}, {kCrlGuid, "CRL"}, {kPlatformInfoGuid, "platform-info"}};

bool is_end(const RawCertificateEntry& row) {
  return row.guid == Guid{} && row.offset == 0 && row.length == 0;
}

bool overlap(Bytes a, Bytes b) {
  return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

/// check_entry judges one entry beside those before it, whatever table they are to stand in.
Status check_entry(const CertificateEntry& entry, std::span<const CertificateEntry> before) {
  const std::size_t row = before.size();
  if (entry.guid == Guid{}) return Error{Errc::bad_value, "certificate table, entry without GUID", row, 0};
  if (entry.octets.empty()) return Error{Errc::bad_length, "certificate table, entry without octets", row, 0};
  for (const CertificateEntry& other : before) {
    if (other.guid == entry.guid) return Error{Errc::bad_value, "certificate table, repeated GUID", row, 0};
  }
  return ok();
}

}  // namespace

const char* guid_name(const Guid& guid) {
  for (const Name& row : kNames) {
    if (row.guid == guid) return row.name;
  }
  return "unknown";
}

Result<CertificateTable> CertificateTable::parse(Bytes table) {
  RawCertificateEntry rows[kMaxCertificateEntries];
  CertificateTable parsed;
  Reader reader(table);
  while (true) {
    const RawCertificateEntry row = TRY(reader.copy<RawCertificateEntry>("certificate table, entry"));
    if (is_end(row)) break;
    if (parsed.count_ == kMaxCertificateEntries) {
      return Error{Errc::too_large, "certificate table, entries", kMaxCertificateEntries + 1, kMaxCertificateEntries};
    }
    rows[parsed.count_++] = row;
  }
  const std::size_t head = table.size() - reader.left();
  std::size_t end = head;
  for (std::size_t i = 0; i < parsed.count_; ++i) {
    const std::uint64_t offset = rows[i].offset, length = rows[i].length;
    if (length != 0 && offset < head) {
      return Error{Errc::bad_length, "certificate table, entry inside the rows", offset, head};
    }
    if (offset + length > table.size()) {
      return Error{Errc::bad_length, "certificate table, entry outside the table", offset + length, table.size()};
    }
    const CertificateEntry entry{rows[i].guid, table.subspan(offset, length)};
    TRY(check_entry(entry, std::span(parsed.entries_).first(i)));
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(entry.octets, parsed.entries_[j].octets)) {
        return Error{Errc::bad_value, "certificate table, overlapping entries", i, j};
      }
    }
    parsed.entries_[i] = entry;
    end = std::max<std::size_t>(end, offset + length);
  }
  parsed.octets_ = table.first(end);
  return parsed;
}

Bytes CertificateTable::find(const Guid& guid) const {
  for (const CertificateEntry& entry : entries()) {
    if (entry.guid == guid) return entry.octets;
  }
  return {};
}

Bytes certificates_in(Bytes given) {
  const Result<CertificateTable> table = CertificateTable::parse(given);
  return table && !table->entries().empty() ? table->octets() : Bytes{};
}

Result<Bytes> encode_certificate_table(std::span<const CertificateEntry> entries, MutBytes into) {
  if (entries.size() > kMaxCertificateEntries) {
    return Error{Errc::too_large, "certificate table, entries", entries.size(), kMaxCertificateEntries};
  }
  Writer writer(into);
  std::uint64_t offset = (entries.size() + 1) * kRowBytes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TRY(check_entry(entries[i], entries.first(i)));
    const std::uint64_t end = offset + entries[i].octets.size();
    if (end > std::numeric_limits<std::uint32_t>::max()) {
      return Error{Errc::too_large, "certificate table", end, std::numeric_limits<std::uint32_t>::max()};
    }
    writer.copy(RawCertificateEntry{entries[i].guid, static_cast<std::uint32_t>(offset),
                                    static_cast<std::uint32_t>(entries[i].octets.size())});
    offset = end;
  }
  writer.copy(RawCertificateEntry{});
  for (const CertificateEntry& entry : entries) writer.put(entry.octets);
  return writer.finish("certificate table");
}

}  // namespace attestbed::snp
