// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/cert_table.h"

#include <algorithm>
#include <array>

#include "core/base/reader.h"
#include "core/base/wire.h"

namespace attestbed::kbs {
namespace {

struct Entry {
  ByteArray<16> guid;
  le32 offset;
  le32 length;
};
static_assert(sizeof(Entry) == 24 && alignof(Entry) == 1);

struct KnownGuid {
  ByteArray<16> guid;
  const char* source;
};
constexpr std::array kEndorsements{
    KnownGuid{{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82},
              "certs-buf.ASK"},
    KnownGuid{{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},
              "certs-buf.VCEK"},
    KnownGuid{{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1},
              "certs-buf.VLEK"},
};

}  // namespace

Checked<std::vector<verify::Certificate>> parse_cert_table(Bytes table) {
  std::vector<verify::Certificate> certificates;
  Reader reader(table);
  for (std::size_t count = 0;; ++count) {
    const Entry entry = TRY(checked(reader.copy<Entry>("certs-buf.entry")));
    if (entry.guid == ByteArray<16>{} && entry.offset == 0 && entry.length == 0) return certificates;
    if (count == kMaxCertTableEntries) {
      return Refusal{Errc::too_large, "certs-buf", std::to_string(kMaxCertTableEntries) + " entries", "more"};
    }
    const std::size_t offset = entry.offset;
    const std::size_t length = entry.length;
    if (offset > table.size() || length > table.size() - offset) {
      return Refusal{Errc::bad_length, "certs-buf.entry",
                     "an extent inside " + std::to_string(table.size()) + " octets",
                     std::to_string(length) + " octets at " + std::to_string(offset)};
    }
    const auto known = std::ranges::find(kEndorsements, entry.guid, &KnownGuid::guid);
    if (known == kEndorsements.end()) continue;
    std::vector<verify::Certificate> parsed =
        TRY(verify::Certificate::parse(table.subspan(offset, length), known->source));
    std::ranges::move(parsed, std::back_inserter(certificates));
  }
}

}  // namespace attestbed::kbs
