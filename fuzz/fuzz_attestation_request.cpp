// SPDX-License-Identifier: Apache-2.0
// Property, for each kind of key that proxy and guest may have agreed on: a request that a proxy accepts has every
// length in its bounds, and says the same when it is said again.
#include <algorithm>
#include <vector>

#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

namespace {

void check(Bytes input, KeyType key) {
  std::vector<std::uint8_t> text(input.begin(), input.end()), again(kMaxFrameBytes);
  const Result<AttestationRequest> request = decode_attestation_request(text, key);
  if (!request) return;
  fuzz::must(request->key.type == key, "the key is of the agreed kind");
  fuzz::must(request->report.size() == snp::kReportBytes, "a report has 1184 octets");
  fuzz::must(request->certs.size() <= kMaxCertsBytes, "the certificate table is bounded");
  fuzz::must(bool(Challenge::make(request->challenge)), "the echo could be a challenge");

  const Result<Bytes> encoded = encode_attestation_request(*request, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded");
  const auto same = decode_attestation_request(MutBytes(again).first(encoded->size()), key);
  fuzz::must(same && same->tee == request->tee && same->key == request->key, "tee and key survive");
  fuzz::must(std::ranges::equal(same->report, request->report) && std::ranges::equal(same->certs, request->certs) &&
                 std::ranges::equal(same->challenge, request->challenge),
             "report, certificates and challenge survive");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxFrameBytes) return 0;
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) check({data, size}, key);
  return 0;
}
