// SPDX-License-Identifier: Apache-2.0
// Property, by the first octet, whose half modulo 3 is the kind of key. Odd: the input replaces parts of a known JWE;
// nothing but the known one opens. Even: an honest broker seals under the input as protected header; it opens only if
// nlohmann finds the one accepted header in it.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/base/reader.h"
#include "fuzz/header_oracle.h"
#include "fuzz/known_jwe.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

namespace {

// Parts of the known JWE are exchanged, one after another, as long as the input lasts: one octet XORed per (part,
// index).
void check_changed(const fuzz::KnownJwe& known, Reader input) {
  Decryption changed = known.decryption;
  std::vector<std::uint8_t> x, y;
  if (changed.epk) {
    x.assign(changed.epk->x().begin(), changed.epk->x().end());
    y.assign(changed.epk->y().begin(), changed.epk->y().end());
  }
  std::vector<std::uint8_t> aad(known.aad.begin(), known.aad.end());
  std::vector<std::uint8_t> ciphertext(known.ciphertext.begin(), known.ciphertext.end());
  const MutBytes parts[] = {x, y, changed.wrapped_cek.octets(), changed.iv, changed.tag, aad, ciphertext};

  while (const Result<Bytes> edit = input.take(4, "edit")) {
    const MutBytes part = parts[(*edit)[0] % std::size(parts)];
    const std::size_t at = std::size_t{256} * (*edit)[1] + (*edit)[2];
    if (part.empty()) continue;  // no epk with RSA
    part[at % part.size()] ^= (*edit)[3];
  }
  if (changed.epk) changed.epk = *crypto::EcPoint::make(changed.epk->curve(), x, y, "epk");
  changed.aad = aad;
  const bool same = changed.epk == known.decryption.epk && changed.wrapped_cek == known.decryption.wrapped_cek &&
                    changed.iv == known.decryption.iv && changed.tag == known.decryption.tag &&
                    text_of(aad) == known.aad && text_of(ciphertext) == known.ciphertext;

  const Result<MutBytes> opened = jwe_open(known.key, changed, ciphertext);
  fuzz::must(opened.has_value() == same, "the known JWE opens, and nothing else");
  fuzz::must(!opened || text_of(*opened) == known.plaintext, "to the known secret");
}

void check_header(const fuzz::KnownJwe& known, Bytes header) {
  std::vector<std::uint8_t> aad(base64_encoded_size(Base64::url, header.size()));
  Writer out(aad);
  base64_encode(Base64::url, header, out);
  Decryption sealed = known.decryption;
  sealed.aad = aad;
  std::vector<std::uint8_t> text(known.plaintext.begin(), known.plaintext.end());
  const auto tag = crypto::aes256gcm_seal(known.cek, sealed.iv, aad, text, text);
  fuzz::must(bool(tag), "the broker can seal");
  sealed.tag = *tag;

  const Result<MutBytes> opened = jwe_open(known.key, sealed, text);
  if (!opened) {
    fuzz::must(opened.error().code != Errc::tag_failed && text_of(header) != known.header, "it was the header");
    return;
  }
  fuzz::must(text_of(*opened) == known.plaintext, "what opens is what was sealed");
  fuzz::must(fuzz::may_be_accepted(text_of(header), known.decryption.epk ? &*known.decryption.epk : nullptr),
             "an accepted header is the accepted one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr KeyType kKeys[] = {KeyType::p521, KeyType::p256, KeyType::rsa3072};
  const fuzz::KnownJwe& known = fuzz::known_jwe(kKeys[data[0] / 2 % std::size(kKeys)]);
  const Bytes input = Bytes(data, size).subspan(1);
  if ((data[0] & 1) != 0) {
    check_changed(known, Reader(input));
  } else {
    check_header(known, input);
  }
  return 0;
}
