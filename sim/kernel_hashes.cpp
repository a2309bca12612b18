// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel_hashes.h"

#include <cstring>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"
#include "sim/guid.h"

namespace attestbed::sim {
namespace {

struct HashEntry {
  Guid guid;
  le16 length;
  crypto::Sha256Digest digest;
};

struct HashTable {
  Guid guid;
  le16 length;
  HashEntry cmdline, initrd, kernel;
};
static_assert(sizeof(HashEntry) == 50 && sizeof(HashTable) == 168 && alignof(HashTable) == 1);

constexpr Guid kTable = guid("9438d606-4f22-4cc9-b479-a793d411fd21");
constexpr Guid kCmdline = guid("97d02dd8-bd20-4c94-aa78-e7714d36ab2a");
constexpr Guid kInitrd = guid("44baf731-3a2f-4bd7-9af1-41e29169781d");
constexpr Guid kKernel = guid("4de79437-abd2-427f-b835-d5b172d2045b");

Result<HashEntry> entry(const Guid& id, Bytes octets, Bytes terminator) {
  HashEntry made;
  made.guid = id;
  made.length = static_cast<std::uint16_t>(sizeof made);
  made.digest = TRY(crypto::sha256({octets, terminator}));
  return made;
}

}  // namespace

Result<KernelHashes> kernel_hashes(const DirectKernel& direct) {
  constexpr ByteArray<1> kTerminator{};
  HashTable table;
  table.guid = kTable;
  table.length = static_cast<std::uint16_t>(sizeof table);
  table.cmdline = TRY(entry(kCmdline, bytes_of(direct.cmdline), kTerminator));
  table.initrd = TRY(entry(kInitrd, direct.initrd, {}));
  table.kernel = TRY(entry(kKernel, direct.kernel, {}));
  KernelHashes padded{};
  std::memcpy(padded.data(), &table, sizeof table);
  return padded;
}

}  // namespace attestbed::sim
