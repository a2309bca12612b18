// SPDX-License-Identifier: Apache-2.0
// Property, for each kind of key that a guest may have: an answer that it accepts either carries a secret with all that
// is needed to open it, or says no; and it says the same when it is said again.
#include <algorithm>
#include <vector>

#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

namespace {

bool equal(const Decryption& a, const Decryption& b) {
  return a.epk == b.epk && a.wrapped_cek == b.wrapped_cek && std::ranges::equal(a.aad, b.aad) && a.iv == b.iv &&
         a.tag == b.tag;
}

void check(Bytes input, KeyType key) {
  std::vector<std::uint8_t> text(input.begin(), input.end()), again(kMaxFrameBytes);
  const Result<AttestationResponse> response = decode_attestation_response(text, key);
  if (!response) return;
  fuzz::must(response->success == response->secret.has_value(), "a secret comes with success and only with it");
  fuzz::must(response->success == response->decryption.has_value(), "and so does what opens it");
  fuzz::must(!response->success || !response->error, "success has no error");
  if (response->success) {
    fuzz::must(response->secret->size() <= kMaxCiphertextBytes, "the ciphertext is bounded");
    fuzz::must(response->decryption->aad.size() <= kMaxAadBytes, "the header is bounded");
    fuzz::must(response->decryption->epk.has_value() == is_ec(key),
               "an ephemeral point comes with EC and only with it");
    fuzz::must(response->decryption->wrapped_cek.octets().size() == WrappedCek::length(key), "the content key fits");
  }
  if (response->error) {
    fuzz::must(std::ranges::all_of(response->error->detail(), [](char c) { return c >= ' ' && c <= '~'; }),
               "the host's words are printable ASCII");
  }

  const Result<Bytes> encoded = encode_attestation_response(*response, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded, if need be without its token");
  const auto same = decode_attestation_response(MutBytes(again).first(encoded->size()), key);
  fuzz::must(same && same->success == response->success, "the verdict survives");
  fuzz::must(!same->token || (same->token->kind == response->token->kind && same->token->text == response->token->text),
             "a token survives or is left out");
  if (response->success) {
    fuzz::must(equal(*same->decryption, *response->decryption), "what opens the secret survives");
    fuzz::must(std::ranges::equal(*same->secret, *response->secret), "the ciphertext survives");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxFrameBytes) return 0;
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) check({data, size}, key);
  return 0;
}
