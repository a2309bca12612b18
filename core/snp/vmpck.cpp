// SPDX-License-Identifier: Apache-2.0
#include "core/snp/vmpck.h"

namespace attestbed::snp {

Result<Vmpck> vmpck_from_secrets_page(Bytes page, unsigned number) {
  if (page.size() != kPageBytes) return Error{Errc::bad_length, "secrets page", page.size(), kPageBytes};
  if (number >= kVmpckCount) return Error{Errc::bad_value, "VMPCK number", number, kVmpckCount - 1};
  Vmpck key{page.subspan(kSecretsVmpckOffset + number * 32U).first<32>()};
  static constexpr ByteArray<32> kWiped{};
  if (equal_ct(key.expose(), kWiped)) return Error{Errc::vmpck_lost, "secrets page", number, 0};
  return key;
}

}  // namespace attestbed::snp
