// SPDX-License-Identifier: Apache-2.0
#include "core/verify/signature.h"

#include <algorithm>

#include "core/crypto/openssl/p384_signature.h"
#include "core/verify/certificate_impl.h"

namespace attestbed::verify {
namespace {

constexpr std::uint32_t kEcdsaP384Sha384 = 1;
constexpr std::size_t kP384Bytes = 48;

Refusal refuse(const char* field, std::string expected, std::string found) {
  return {Errc::signature_invalid, field, std::move(expected), std::move(found)};
}

}  // namespace

Checked<void> check_signature(const snp::RawReport& report, const Certificate& vek) {
  if (report.signature_algo != kEcdsaP384Sha384) {
    return refuse("SIGNATURE_ALGO", "1 (ECDSA P-384 with SHA-384)", std::to_string(report.signature_algo));
  }
  for (const Bytes number : {Bytes(report.signature.r), Bytes(report.signature.s)}) {
    const Bytes upper = number.subspan(kP384Bytes);
    if (std::ranges::any_of(upper, [](std::uint8_t octet) { return octet != 0; })) {
      return refuse(number.data() == report.signature.r ? "SIGNATURE.R" : "SIGNATURE.S",
                    "24 zero octets above the number", hex_text(upper));
    }
  }
  const Bytes signed_part = snp::octets_of(report).first(snp::kSignedReportBytes);
  if (openssl::verifies_p384(key_of(vek), report.signature, signed_part)) return {};
  return refuse("SIGNATURE", "one over octets 0x000..0x29f by the key of " + described(vek),
                "one that does not verify");
}

}  // namespace attestbed::verify
