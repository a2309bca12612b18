// SPDX-License-Identifier: Apache-2.0
// Property: an answer that a guest accepts either carries a secret with all that is needed to open it, or says no; and
// it says the same when it is said again.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxFrameBytes) return 0;
  std::vector<std::uint8_t> text(data, data + size), again(kMaxFrameBytes);
  const Result<AttestationResponse> response = decode_attestation_response(text, KeyType::p521);
  if (!response) return 0;
  fuzz::must(response->success == response->secret.has_value(), "a secret comes with success and only with it");
  fuzz::must(response->success == response->decryption.has_value(), "and so does what opens it");
  fuzz::must(!response->success || !response->error, "success has no error");
  if (response->success) {
    fuzz::must(response->secret->size() <= kMaxCiphertextBytes, "the ciphertext is bounded");
    fuzz::must(response->decryption->aad.size() <= kMaxAadBytes, "the header is bounded");
  }
  if (response->error) {
    fuzz::must(std::ranges::all_of(response->error->detail(), [](char c) { return c >= ' ' && c <= '~'; }),
               "the host's words are printable ASCII");
  }

  const Result<Bytes> encoded = encode_attestation_response(*response, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded, if need be without its token");
  const auto same = decode_attestation_response(MutBytes(again).first(encoded->size()), KeyType::p521);
  fuzz::must(same && same->success == response->success, "the verdict survives");
  fuzz::must(!same->token || (same->token->kind == response->token->kind && same->token->text == response->token->text),
             "a token survives or is left out");
  if (response->success) {
    fuzz::must(equal(*same->decryption, *response->decryption), "what opens the secret survives");
    fuzz::must(std::ranges::equal(*same->secret, *response->secret), "the ciphertext survives");
  }
  return 0;
}
