// SPDX-License-Identifier: Apache-2.0
// Property: entries of a certificate table that is accepted are whole, inside it and apart from each other; encoded
// again they are read back the same; and a broker takes only certificates whose octets stand in the table. Input:
// entry:4 n, then n entries of guid:1 (which) offset:2 length:2 and octets; or, if n is above 16, a raw table. Even
// offsets name certificates of AMD that the harness appends.
#include <algorithm>
#include <cstring>

#include "core/base/reader.h"
#include "core/base/wire.h"
#include "core/snp/certificate_table.h"
#include "fuzz/amd_samples.h"
#include "fuzz/must.h"
#include "mock-kbs/cert_table.h"

using namespace attestbed;
using fuzz::must;

namespace {

constexpr std::uint8_t kGuids[][16] = {
    {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},  // VCEK
    {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1},  // VLEK
    {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},  // ASK
    {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae},  // ARK
    {},
};

struct Wish {
  std::uint8_t guid;
  le16 offset, length;
};
struct Entry {
  std::uint8_t guid[16];
  le32 offset, length;
};
static_assert(sizeof(Wish) == 5 && sizeof(Entry) == 24);

void append(std::vector<std::uint8_t>& table, const Entry& entry) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&entry);
  table.insert(table.end(), octets, octets + sizeof entry);
}

// A table whose extents are right, or as the input wishes them.
std::vector<std::uint8_t> build(std::size_t count, Reader input) {
  const auto& certificates = fuzz::amd_samples().certificates;
  std::vector<std::uint8_t> table, behind;
  const std::size_t head = (count + 1) * sizeof(Entry);
  for (; count > 0; --count) {
    const auto wish = input.copy<Wish>("wish");
    if (!wish) break;
    Entry entry{{}, std::uint32_t{wish->offset}, std::uint32_t{wish->length}};
    std::memcpy(entry.guid, kGuids[wish->guid % std::size(kGuids)], sizeof entry.guid);
    if (wish->offset % 2 == 0) {
      const auto& der = certificates[wish->offset / 2U % certificates.size()].der();
      entry.offset = static_cast<std::uint32_t>(head + behind.size());
      entry.length = static_cast<std::uint32_t>(der.size() - wish->length % 4U);
      behind.insert(behind.end(), der.begin(), der.end());
    }
    append(table, entry);
  }
  table.resize(head);
  table.insert(table.end(), behind.begin(), behind.end());
  return table;
}

void check_table(const std::vector<std::uint8_t>& octets) {
  const auto table = snp::CertificateTable::parse(octets);
  if (!table) return;
  std::vector<bool> used(octets.size());
  for (const snp::CertificateEntry& entry : table->entries()) {
    must(!entry.octets.empty() && entry.octets.data() >= octets.data() + sizeof(Entry), "entries are behind the rows");
    auto at = static_cast<std::size_t>(entry.octets.data() - octets.data());
    must(at + entry.octets.size() <= table->octets().size(), "entries are inside the table");
    for (const std::size_t end = at + entry.octets.size(); at < end; ++at) {
      must(!used[at], "entries share no octet");
      used[at] = true;
    }
  }
  std::vector<std::uint8_t> room(octets.size());
  const auto encoded = snp::encode_certificate_table(table->entries(), room);
  must(bool(encoded), "what was read can be written in as much room");
  const auto again = snp::CertificateTable::parse(*encoded);
  must(bool(again), "and read again");
  must(std::ranges::equal(
           again->entries(), table->entries(),
           [](const auto& a, const auto& b) { return a.guid == b.guid && std::ranges::equal(a.octets, b.octets); }),
       "as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  const std::vector<std::uint8_t> table =
      data[0] <= 20 ? build(data[0], Reader(input)) : std::vector<std::uint8_t>(input.begin(), input.end());
  check_table(table);
  const auto certificates = kbs::certificates_of_table(table);
  if (!certificates) return 0;
  must(certificates->size() <= snp::kMaxCertificateEntries * verify::kMaxCertificatesPerFile, "entries are bounded");
  for (const verify::Certificate& one : *certificates) {
    const bool der = std::search(table.begin(), table.end(), one.der().begin(), one.der().end()) != table.end();
    const std::string_view pem = "-----BEGIN CERTIFICATE-----";
    const bool text = text_of(Bytes(table)).find(pem) != std::string_view::npos;
    must(der || text, "what comes out stood in the table");
  }
  return 0;
}
