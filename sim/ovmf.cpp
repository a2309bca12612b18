// SPDX-License-Identifier: Apache-2.0
#include "sim/ovmf.h"

#include <map>

#include "core/base/wire.h"
#include "core/snp/vmpck.h"
#include "sim/guid.h"

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kFourGib = 1ULL << 32;
constexpr std::uint64_t kTableToEnd = 32;  // octets behind the table: the reset vector
constexpr std::uint32_t kMaxSections = 256;

constexpr Guid kFooter = guid("96b582de-1fb2-45f7-baea-a366c55a082d");
constexpr Guid kHashTable = guid("7255371f-3a3b-4b04-927b-1da6efa8d454");
constexpr Guid kResetBlock = guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e");
constexpr Guid kSevMetadata = guid("dc886566-984a-4798-a75e-5585a7bf67cc");

/// EntryTail is how every entry ends; its data comes before. `length` counts data and tail.
struct EntryTail {
  le16 length;
  Guid guid;
};
static_assert(sizeof(EntryTail) == 18 && alignof(EntryTail) == 1);

struct MetadataHeader {
  ByteArray<4> signature;
  le32 size, version, count;
};
struct MetadataItem {
  le32 gpa, size, type;
};
static_assert(sizeof(MetadataHeader) == 16 && sizeof(MetadataItem) == 12 && alignof(MetadataItem) == 1);

/// Entry is where an entry's data lies in the file.
struct Entry {
  std::uint64_t offset = 0, size = 0;
};
using Table = std::map<Guid, Entry>;

Outcome<Table> read_table(const ImageFile& file) {
  std::uint64_t end = file.size() - kTableToEnd;
  const auto footer = TRY(file.copy<EntryTail>(end - sizeof(EntryTail), "GUIDed table footer"));
  if (footer.guid != kFooter) {
    return file.malformed(end - sizeof(Guid), "GUIDed table footer", "the GUID 96b582de-1fb2-45f7-baea-a366c55a082d",
                          "another one: no OVMF, or one without SEV support");
  }
  const std::uint64_t length = footer.length;
  if (length < sizeof(EntryTail) || length > end) {
    return file.malformed(end - sizeof(EntryTail), "GUIDed table length",
                          "18 to the octets before it, " + std::to_string(end), std::to_string(length));
  }
  const std::uint64_t begin = end - length;
  end -= sizeof(EntryTail);
  Table table;
  while (end > begin) {  // backwards, since each entry's length stands behind its data
    const std::uint64_t room = end - begin;
    if (room < sizeof(EntryTail)) {
      return file.malformed(begin, "GUIDed table entry", "at least 18 octets", std::to_string(room));
    }
    const auto tail = TRY(file.copy<EntryTail>(end - sizeof(EntryTail), "GUIDed table entry"));
    if (tail.length < sizeof(EntryTail) || tail.length > room) {
      return file.malformed(end - sizeof(EntryTail), "GUIDed table entry length", "18 to " + std::to_string(room),
                            std::to_string(tail.length));
    }
    end -= tail.length;
    if (!table.try_emplace(tail.guid, Entry{end, tail.length - sizeof(EntryTail)}).second) {
      return file.malformed(end, "GUIDed table entry", "each GUID once", "one that is there twice");
    }
  }
  return table;
}

/// number_of reads the u32 that an entry's data begins with.
Outcome<std::optional<std::uint32_t>> number_of(const ImageFile& file, const Table& table, const Guid& id,
                                                const char* field) {
  const auto found = table.find(id);
  if (found == table.end()) return std::optional<std::uint32_t>();
  if (found->second.size < sizeof(le32)) {
    return file.malformed(found->second.offset, field, "at least 4 octets of data", std::to_string(found->second.size));
  }
  return std::optional<std::uint32_t>(TRY(file.copy<le32>(found->second.offset, field)));
}

bool is_known(std::uint32_t type) {
  return (type >= 1 && type <= 4) || type == 0x10;
}

bool is_one_page(OvmfSectionType type) {
  return type == OvmfSectionType::secrets || type == OvmfSectionType::cpuid || type == OvmfSectionType::kernel_hashes;
}

Outcome<OvmfSection> read_section(const ImageFile& file, std::uint64_t at) {
  const auto item = TRY(file.copy<MetadataItem>(at, "SEV metadata section"));
  const std::uint64_t gpa = item.gpa, size = item.size;
  if (!is_known(item.type)) {
    return file.malformed(at + 8, "SEV metadata section type", "1, 2, 3, 4 or 0x10", hex_number(item.type));
  }
  const auto type = static_cast<OvmfSectionType>(std::uint32_t{item.type});
  if (gpa % snp::kPageBytes != 0) {
    return file.malformed(at, "SEV metadata section GPA", "a multiple of 0x1000", hex_number(gpa));
  }
  if (size == 0 || size % snp::kPageBytes != 0) {
    return file.malformed(at + 4, "SEV metadata section size", "a multiple of 0x1000 above 0", hex_number(size));
  }
  if (is_one_page(type) && size != snp::kPageBytes) {
    return file.malformed(at + 4, std::string(section_name(type)) + " section size", "0x1000", hex_number(size));
  }
  if (gpa + size > kFourGib - file.size()) {
    return file.malformed(at, "SEV metadata section end",
                          "at most the firmware's begin, " + hex_number(kFourGib - file.size()),
                          hex_number(gpa + size));
  }
  return OvmfSection{type, gpa, size};
}

Outcome<std::vector<OvmfSection>> read_sections(const ImageFile& file, std::uint32_t offset_from_end) {
  if (offset_from_end > file.size()) {
    return file.malformed(file.size(), "SEV metadata, octets from the end", "at most " + hex_number(file.size()),
                          hex_number(offset_from_end));
  }
  const std::uint64_t at = file.size() - offset_from_end;
  const auto header = TRY(file.copy<MetadataHeader>(at, "SEV metadata header"));
  if (text_of(header.signature) != "ASEV") {
    return file.malformed(at, "SEV metadata signature", "\"ASEV\"", "other octets");
  }
  if (header.version != 1) {
    return file.malformed(at + 8, "SEV metadata version", "1", std::to_string(header.version));
  }
  if (header.count > kMaxSections) {
    return file.malformed(at + 12, "SEV metadata sections", "at most " + std::to_string(kMaxSections),
                          std::to_string(header.count));
  }
  const std::uint64_t size = sizeof(MetadataHeader) + header.count * sizeof(MetadataItem);
  if (header.size != size) {
    return file.malformed(at + 4, "SEV metadata size", std::to_string(size), std::to_string(header.size));
  }
  std::vector<OvmfSection> sections;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    const std::uint64_t item = at + sizeof(MetadataHeader) + i * sizeof(MetadataItem);
    const OvmfSection section = TRY(read_section(file, item));
    for (const OvmfSection& other : sections) {
      if (section.gpa < other.gpa + other.size && other.gpa < section.gpa + section.size) {
        return file.malformed(
            item, "SEV metadata section", "one that overlaps no other",
            hex_number(section.gpa) + " inside " + section_name(other.type) + " at " + hex_number(other.gpa));
      }
    }
    sections.push_back(section);
  }
  return sections;
}

}  // namespace

const char* section_name(OvmfSectionType type) {
  switch (type) {
    case OvmfSectionType::sec_mem:
      return "SNP_SEC_MEM";
    case OvmfSectionType::secrets:
      return "SNP_SECRETS";
    case OvmfSectionType::cpuid:
      return "SNP_CPUID";
    case OvmfSectionType::svsm_caa:
      return "SVSM_CAA";
    case OvmfSectionType::kernel_hashes:
      return "SNP_KERNEL_HASHES";
  }
  return "unknown";
}

Outcome<Ovmf> parse_ovmf(const ImageFile& file) {
  if (file.size() == 0 || file.size() % snp::kPageBytes != 0 || file.size() > kMaxOvmfBytes) {
    return file.malformed(0, "firmware size", "a multiple of 0x1000 up to " + hex_number(kMaxOvmfBytes),
                          hex_number(file.size()));
  }
  const Table table = TRY(read_table(file));
  Ovmf ovmf;
  ovmf.ap_eip = TRY(number_of(file, table, kResetBlock, "SEV-ES reset block"));
  ovmf.hash_table_gpa = TRY(number_of(file, table, kHashTable, "kernel hash table"));
  const auto metadata = TRY(number_of(file, table, kSevMetadata, "SEV metadata entry"));
  if (!metadata) {
    return file.malformed(file.size() - kTableToEnd, "GUIDed table",
                          "an entry for SEV metadata, dc886566-984a-4798-a75e-5585a7bf67cc",
                          "none: this firmware cannot be launched as an SNP guest");
  }
  ovmf.sections = TRY(read_sections(file, *metadata));
  return ovmf;
}

}  // namespace attestbed::sim
