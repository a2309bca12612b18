// SPDX-License-Identifier: Apache-2.0
#include "sim/igvm.h"
#include "sim/igvm_format.h"

namespace attestbed::sim {

namespace igvm {

Outcome<FixedHeader> read_fixed_header(const ImageFile& file) {
  const auto header = TRY(file.copy<FixedHeader>(0, "IGVM fixed header"));
  if (text_of(header.magic) != "IGVM") return file.malformed(0, "magic", "\"IGVM\"", "other octets");
  if (header.format_version != 1 && header.format_version != 2) {
    return file.malformed(4, "format version", "1 or 2", std::to_string(header.format_version));
  }
  std::uint64_t size = sizeof(FixedHeader);
  if (header.format_version == 2) {
    const auto more = TRY(file.copy<FixedHeaderV2Tail>(size, "IGVM fixed header, version 2"));
    if (more.architecture != 0) {
      return file.malformed(size, "architecture", "0 (x86-64)", std::to_string(more.architecture));
    }
    if (more.page_size != snp::kPageBytes) {
      return file.malformed(size + 4, "page size", "4096", std::to_string(more.page_size));
    }
    size += sizeof more;
  }
  if (header.variable_header_offset != size) {
    return file.malformed(8, "variable header offset", std::to_string(size),
                          std::to_string(header.variable_header_offset));
  }
  if (header.total_file_size != file.size()) {
    return file.malformed(16, "total file size", std::to_string(file.size()), std::to_string(header.total_file_size));
  }
  const Bytes variable = TRY(file.slice(size, header.variable_header_size, "variable header"));
  const Bytes before = TRY(file.slice(0, kChecksumOffset, "IGVM fixed header"));
  const Bytes after = TRY(file.slice(kChecksumOffset + 4, size - kChecksumOffset - 4, "IGVM fixed header"));
  constexpr ByteArray<4> kNoChecksum{};
  const std::uint32_t checksum = igvm_checksum({before, kNoChecksum, after, variable});
  if (header.checksum != checksum) {
    return file.malformed(kChecksumOffset, "checksum", hex_number(checksum), hex_number(header.checksum));
  }
  return header;
}

}  // namespace igvm

std::uint32_t igvm_checksum(std::initializer_list<Bytes> parts) {
  constexpr std::uint32_t kReflectedPolynomial = 0xedb88320;
  std::uint32_t remainder = 0xffffffff;
  for (const Bytes part : parts) {
    for (const std::uint8_t octet : part) {
      remainder ^= octet;
      for (int bit = 0; bit < 8; ++bit) {
        remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? kReflectedPolynomial : 0);
      }
    }
  }
  return ~remainder;
}

}  // namespace attestbed::sim
