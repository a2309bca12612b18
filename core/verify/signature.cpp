// SPDX-License-Identifier: Apache-2.0
#include "core/verify/signature.h"

#include <algorithm>

#include "core/crypto/openssl/library.h"
#include "core/verify/certificate_impl.h"

namespace attestbed::verify {
namespace {

constexpr std::uint32_t kEcdsaP384Sha384 = 1;
constexpr std::size_t kP384Bytes = 48;

Refusal refuse(const char* field, std::string expected, std::string found) {
  return {Errc::signature_invalid, field, std::move(expected), std::move(found)};
}

/// DerSignature is ECDSA-Sig-Value; `octets` is empty if OpenSSL had no memory.
struct DerSignature {
  openssl::Octets octets;
  std::size_t size = 0;
};

DerSignature der_signature(const snp::RawSignature& raw) {
  openssl::Number r(BN_lebin2bn(raw.r, kP384Bytes, nullptr)), s(BN_lebin2bn(raw.s, kP384Bytes, nullptr));
  const openssl::EcdsaSignature signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  // set0 took both numbers over.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &encoded);
  return {openssl::Octets(encoded), length > 0 ? static_cast<std::size_t>(length) : 0};
}

}  // namespace

Checked<void> check_signature(const snp::RawReport& report, const Certificate& vek) {
  const openssl::ErrorScope errors;
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
  const DerSignature signature = der_signature(report.signature);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const Bytes signed_part = snp::octets_of(report).first(snp::kSignedReportBytes);
  const bool good = signature.size != 0 && context &&
                    EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA384", openssl::library_context(), nullptr,
                                            key_of(vek), nullptr) == 1 &&
                    EVP_DigestVerify(context.get(), signature.octets.get(), signature.size, signed_part.data(),
                                     signed_part.size()) == 1;
  if (good) return {};
  return refuse("SIGNATURE", "one over octets 0x000..0x29f by the key of " + described(vek),
                "one that does not verify");
}

}  // namespace attestbed::verify
