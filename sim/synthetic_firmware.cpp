// SPDX-License-Identifier: Apache-2.0
#include "sim/synthetic_firmware.h"

#include <algorithm>
#include <cstring>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"
#include "sim/guid.h"
#include "sim/ovmf.h"

namespace attestbed::sim {
namespace {

constexpr std::size_t kMetadataAt = 0x100;
constexpr std::size_t kTableToEnd = 32;  // octets behind the table: where a processor begins
constexpr std::uint32_t kHashTableGpa = 0x810c00, kHashTableRoom = 0x400, kApEip = 0x80b004;

// Where OVMF's AmdSev build has them, as it happens; nothing depends on it.
constexpr OvmfSection kSections[] = {
    {OvmfSectionType::sec_mem, 0x800000, 0x9000},  {OvmfSectionType::sec_mem, 0x80a000, 0x3000},
    {OvmfSectionType::secrets, 0x80d000, 0x1000},  {OvmfSectionType::cpuid, 0x80e000, 0x1000},
    {OvmfSectionType::svsm_caa, 0x80f000, 0x1000}, {OvmfSectionType::kernel_hashes, 0x810000, 0x1000}};

using Octets = std::vector<std::uint8_t>;

template <class T>
void append(Octets& octets, const T& value) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(&value);
  octets.insert(octets.end(), begin, begin + sizeof value);
}

// An entry's data stands before its length and its name.
void append_entry(Octets& table, std::initializer_list<std::uint32_t> numbers, const Guid& name) {
  for (const std::uint32_t number : numbers) append(table, le32(number));
  append(table, le16(static_cast<std::uint16_t>(numbers.size() * sizeof(le32) + sizeof(le16) + sizeof name)));
  append(table, name);
}

Octets metadata() {
  Octets octets = {'A', 'S', 'E', 'V'};
  const auto count = static_cast<std::uint32_t>(std::size(kSections));
  for (const std::uint32_t number : {16 + 12 * count, 1U, count}) append(octets, le32(number));
  for (const OvmfSection& section : kSections) {
    append(octets, le32(static_cast<std::uint32_t>(section.gpa)));
    append(octets, le32(static_cast<std::uint32_t>(section.size)));
    append(octets, le32(static_cast<std::uint32_t>(section.type)));
  }
  return octets;
}

Octets guided_table() {
  Octets table;
  append_entry(table, {kHashTableGpa, kHashTableRoom}, guid("7255371f-3a3b-4b04-927b-1da6efa8d454"));
  append_entry(table, {kApEip}, guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e"));
  append_entry(table, {static_cast<std::uint32_t>(kSyntheticFirmwareBytes - kMetadataAt)},
               guid("dc886566-984a-4798-a75e-5585a7bf67cc"));
  append(table, le16(static_cast<std::uint16_t>(table.size() + sizeof(le16) + sizeof(Guid))));
  append(table, guid("96b582de-1fb2-45f7-baea-a366c55a082d"));
  return table;
}

}  // namespace

Result<std::vector<std::uint8_t>> synthetic_firmware() {
  Octets file(kSyntheticFirmwareBytes);
  for (std::size_t at = 0; at < file.size(); at += 32) {
    const le64 position = at;
    const Bytes octets{reinterpret_cast<const std::uint8_t*>(&position), sizeof position};
    const auto block = TRY(crypto::sha256({bytes_of("attestbed synthetic firmware"), octets}));
    std::memcpy(file.data() + at, block.data(), block.size());
  }
  std::ranges::copy(metadata(), file.begin() + kMetadataAt);
  const Octets table = guided_table();
  std::ranges::copy(table, file.end() - static_cast<std::ptrdiff_t>(kTableToEnd + table.size()));
  return file;
}

}  // namespace attestbed::sim
