// SPDX-License-Identifier: Apache-2.0
#include "proxy/refusal_frame.h"

#include "core/base/wire.h"

namespace attestbed::proxy {

using protocol::Phase;

Result<Bytes> encode_refusal(Errc code, Phase phase, std::string_view detail, MutBytes into) {
  protocol::HostError error{.code = code, .phase = phase};
  error.set_detail(detail);
  if (phase == Phase::negotiation) {
    protocol::NegotiationResponse response;
    response.error = error;
    return protocol::encode_negotiation_response(response, into);
  }
  protocol::AttestationResponse response;
  response.error = error;
  return protocol::encode_attestation_response(response, into);
}

std::vector<std::uint8_t> refusal_frame(Errc code, Phase phase, std::string_view detail) {
  ByteArray<504> body;
  const Result<Bytes> encoded = encode_refusal(code, phase, detail, body);
  if (!encoded) return {};
  const le64 length(encoded->size());
  const auto* prefix = reinterpret_cast<const std::uint8_t*>(&length);
  std::vector<std::uint8_t> frame(prefix, prefix + sizeof length);
  frame.insert(frame.end(), encoded->begin(), encoded->end());
  return frame;
}

}  // namespace attestbed::proxy
