// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_jwe.h"

#include <algorithm>
#include <vector>

#include "core/crypto/aes_gcm.h"
#include "core/crypto/aes_key_wrap.h"
#include "core/crypto/openssl/library.h"
#include "core/crypto/sha2.h"
#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

using K = FaultKind;
using Octets = std::vector<std::uint8_t>;

constexpr std::string_view kEcAlg = "ECDH-ES+A256KW";
constexpr std::string_view kRsaAlg = "RSA-OAEP-256";
constexpr std::string_view kParty = "Alice";
constexpr std::string_view kExtraAad = "attestbed";

// The flattened JWE's members before they become text.
struct Parts {
  std::string header;
  Octets encrypted_key;
  Octets iv;
  Octets ciphertext;
  Octets tag;
};

Octets octets_of_bytes(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string member(std::string_view name, std::string_view value) {
  return '"' + std::string(name) + "\":\"" + std::string(value) + '"';
}

// The coordinates as the header states them.
struct Stated {
  std::string_view curve;
  Octets x, y;
};

Checked<Stated> stated_key(K kind, const crypto::EcPoint& epk, Entropy& entropy) {
  const bool p521 = epk.curve() == crypto::Curve::p521;
  Stated stated{.curve = p521 ? "P-521" : "P-256", .x = octets_of_bytes(epk.x()), .y = octets_of_bytes(epk.y())};
  if (kind == K::jwe_epk_off_curve) stated.y.back() ^= 1;
  if (kind == K::jwe_epk_short) {
    stated.x.pop_back();
    stated.y.pop_back();
  }
  if (kind == K::jwe_epk_p256) {
    crypto::EcKey other;
    TRY(checked(other.generate(p521 ? crypto::Curve::p256 : crypto::Curve::p521, entropy)));
    const crypto::EcPoint& point = other.point();
    stated = {.curve = p521 ? "P-256" : "P-521", .x = octets_of_bytes(point.x()), .y = octets_of_bytes(point.y())};
  }
  return stated;
}

// Every value is base64url or a fixed name, so the texts are put together as they are: nothing needs escaping.
std::string header_text(K kind, std::string_view alg, const Stated* epk) {
  const std::string algorithm = member("alg", alg);
  const std::string encryption = member("enc", "A256GCM");
  const bool reordered = kind == K::jwe_header_order;
  std::string key;
  if (epk != nullptr) {
    const std::string curve = member("crv", epk->curve) + "," + member("kty", "EC");
    const std::string point = member("x", base64url(epk->x)) + "," + member("y", base64url(epk->y));
    key = R"("epk":{)" + (reordered ? point + "," + curve : curve + "," + point) + "}";
  }
  const std::string tail = key.empty() ? "" : "," + key;
  if (reordered) return "{" + encryption + tail + "," + algorithm + "}";
  if (kind == K::jwe_header_spaces)
    return "{ " + algorithm + ", " + encryption + (key.empty() ? "" : ", " + key) + " }";
  std::string text = "{" + algorithm + "," + encryption + tail;
  if (kind == K::jwe_apu) text += "," + member("apu", base64url(kParty));
  if (kind == K::jwe_apv) text += "," + member("apv", base64url(kParty));
  return text + "}";
}

// Concat KDF of RFC 7518 section 4.6.2 for one block of SHA-256, with PartyUInfo and PartyVInfo.
Checked<Secret<32>> kek_of(Bytes z, std::string_view apu, std::string_view apv) {
  std::string info;
  for (const std::string_view field : {kEcAlg, apu, apv}) {
    info += std::string(3, '\0') + static_cast<char>(field.size()) + std::string(field);
  }
  info += std::string("\0\0\1\0", 4);  // SuppPubInfo: 256 bits
  constexpr ByteArray<4> kCounter{0, 0, 0, 1};
  crypto::Sha256Digest digest = TRY(checked(crypto::sha256({kCounter, z, bytes_of(info)})));
  Secret<32> kek(digest);
  wipe(digest);
  return kek;
}

// AES Key Wrap (RFC 3394) of a key of any multiple of eight octets up to 32.
Checked<Octets> wrap(const Secret<32>& kek, Bytes key) {
  const openssl::ErrorScope errors;
  const openssl::CipherContext context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* algorithm = openssl::library().aes256_wrap.get();
  Octets wrapped(key.size() + 24);
  int written = 0;
  if (algorithm == nullptr || !context) return Refusal{Errc::internal, "AES-256-WRAP", "a cipher", "none"};
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context.get(), algorithm, kek.expose().data(), nullptr, 1, nullptr) != 1 ||
      EVP_CipherUpdate(context.get(), wrapped.data(), &written, key.data(), static_cast<int>(key.size())) != 1) {
    return Refusal{Errc::internal, "AES-256-WRAP", "to wrap", "a failure"};
  }
  wrapped.resize(static_cast<std::size_t>(written));
  return wrapped;
}

Checked<void> wrap_for_ec(K kind, const crypto::EcPoint& recipient, Bytes cek, Entropy& entropy, Parts& parts) {
  crypto::EcKey ephemeral;
  TRY(checked(ephemeral.generate(recipient.curve(), entropy)));
  crypto::EcSharedSecret z;
  TRY(checked(crypto::ecdh(ephemeral, recipient, z)));
  const Secret<32> kek = TRY(kek_of(z.expose(), kind == K::jwe_apu ? kParty : std::string_view(),
                                    kind == K::jwe_apv ? kParty : std::string_view()));
  parts.encrypted_key = TRY(wrap(kek, kind == K::jwe_cek_16 ? cek.first(16) : cek));
  const Stated stated = TRY(stated_key(kind, ephemeral.point(), entropy));
  parts.header = kind == K::jwe_alg_rsa ? header_text(kind, kRsaAlg, nullptr) : header_text(kind, kEcAlg, &stated);
  return {};
}

Checked<void> wrap_for_rsa(K kind, const crypto::RsaPublicKey& recipient, const Secret<32>& cek, Parts& parts) {
  if (kind >= K::jwe_epk_off_curve && kind <= K::jwe_epk_short) {
    return Refusal{Errc::key_unsupported, "fault", "an EC key, whose JWE has epk", "RSA-3072"};
  }
  if (kind == K::jwe_cek_16) return Refusal{Errc::key_unsupported, "fault", "an EC key", "RSA-3072"};
  const crypto::RsaWrappedKey wrapped = TRY(checked(crypto::rsa_oaep_sha256_seal(recipient, cek)));
  parts.encrypted_key = octets_of_bytes(wrapped);
  parts.header = header_text(kind, kind == K::jwe_alg_rsa ? kEcAlg : kRsaAlg, nullptr);
  return {};
}

void flip_one_bit(FaultNoise& noise, Octets& octets) {
  if (octets.empty()) return;
  const std::uint64_t where = noise.next();
  octets[where / 8 % octets.size()] ^= static_cast<std::uint8_t>(1U << where % 8);
}

void spoil(K kind, FaultNoise& noise, Parts& parts) {
  if (kind == K::jwe_tag) flip_one_bit(noise, parts.tag);
  if (kind == K::jwe_ciphertext) flip_one_bit(noise, parts.ciphertext);
  if (kind == K::jwe_key_short) parts.encrypted_key.pop_back();
  if (kind == K::jwe_key_long) parts.encrypted_key.push_back(0);
  if (kind == K::jwe_iv_11) parts.iv.pop_back();
  if (kind == K::jwe_iv_16) parts.iv.resize(16, 0);
}

}  // namespace

Checked<std::string> odd_jwe(FaultKind kind, FaultNoise noise, const SealedSecret& sealed, Entropy& entropy) {
  const bool ours = kind >= K::jwe_tag && kind <= K::jwe_alg_rsa;
  const Bytes secret = sealed.secret->expose();
  if (!ours || (kind == K::jwe_ciphertext && secret.empty())) {
    return Refusal{Errc::bad_value, "fault", "a fault of a JWE that has something to break", "another"};
  }
  Parts parts;
  Secret<32> cek;
  TRY(checked(entropy.fill(cek.expose_mut())));
  if (protocol::is_ec(sealed.key.type)) {
    TRY(wrap_for_ec(kind, sealed.key.ec, cek.expose(), entropy, parts));
  } else {
    TRY(wrap_for_rsa(kind, sealed.key.rsa, cek, parts));
  }
  crypto::GcmIv iv;
  TRY(checked(entropy.fill(iv)));
  const std::string header = base64url(parts.header);
  const bool with_aad = kind == K::jwe_aad;
  // RFC 7516 section 5.1, step 14.
  const std::string aad = with_aad ? header + "." + base64url(kExtraAad) : header;
  parts.ciphertext.resize(secret.size());
  const crypto::GcmTag tag = TRY(checked(crypto::aes256gcm_seal(cek, iv, bytes_of(aad), secret, parts.ciphertext)));
  parts.tag = octets_of_bytes(tag);
  parts.iv = octets_of_bytes(iv);
  spoil(kind, noise, parts);
  return "{" + member("protected", header) + "," + member("encrypted_key", base64url(parts.encrypted_key)) + "," +
         (with_aad ? member("aad", base64url(kExtraAad)) + "," : "") + member("iv", base64url(parts.iv)) + "," +
         member("ciphertext", base64url(parts.ciphertext)) + "," + member("tag", base64url(parts.tag)) + "}";
}

}  // namespace attestbed::kbs
