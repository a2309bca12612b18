// SPDX-License-Identifier: Apache-2.0
// Property: a request that a proxy accepts has every length in its bounds, and says the same when it is said again.
#include <algorithm>
#include <vector>

#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxFrameBytes) return 0;
  std::vector<std::uint8_t> text(data, data + size), again(kMaxFrameBytes);
  const Result<AttestationRequest> request = decode_attestation_request(text, KeyType::p521);
  if (!request) return 0;
  fuzz::must(request->report.size() == snp::kReportBytes, "a report has 1184 octets");
  fuzz::must(request->certs.size() <= kMaxCertsBytes, "the certificate table is bounded");
  fuzz::must(bool(Challenge::make(request->challenge)), "the echo could be a challenge");

  const Result<Bytes> encoded = encode_attestation_request(*request, again);
  fuzz::must(bool(encoded), "what was decoded can be encoded");
  const auto same = decode_attestation_request(MutBytes(again).first(encoded->size()), KeyType::p521);
  fuzz::must(same && same->tee == request->tee && same->key == request->key, "tee and key survive");
  fuzz::must(std::ranges::equal(same->report, request->report) && std::ranges::equal(same->certs, request->certs) &&
                 std::ranges::equal(same->challenge, request->challenge),
             "report, certificates and challenge survive");
  return 0;
}
