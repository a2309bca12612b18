// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/protocol/ext.h"

namespace attestbed::protocol {

struct Version {
  std::uint32_t major = 0, minor = 1, patch = 0;
  friend bool operator==(const Version&, const Version&) = default;
};
inline constexpr Version kVersion{0, 1, 0};

/// Tee is one of the names that the wire format knows; only snp is served.
enum class Tee : std::uint8_t {
  az_snp_vtpm,
  az_tdx_vtpm,
  nvidia,
  sev,
  sgx,
  snp,
  tdx,
  cca,
  csv,
  se,
  hygondcu,
  tpm,
  sample,
  sampledevice,
};
const char* tee_name(Tee tee);
Result<Tee> tee_named(std::string_view name, const char* where);

/// NegotiationRequest: guest to proxy. `terms` absent means the defaults; a default frame is 31 octets.
struct NegotiationRequest {
  Version version = kVersion;
  Tee tee = Tee::snp;
  std::optional<Terms> terms;
};
Result<Bytes> encode_negotiation_request(const NegotiationRequest& request, MutBytes into);
/// decode_negotiation_request checks the form; whether version and tee are served is the proxy's to say.
Result<NegotiationRequest> decode_negotiation_request(MutBytes json);
/// decode_version reads `version` alone, of a request whose other members may be those of another version: they are
/// only checked to be JSON. Errors: the JSON codes, bad_length, bad_value.
Result<Version> decode_version(MutBytes json);

/// NegotiationResponse: proxy to guest. Either a challenge (with `accepted` if the guest stated terms) or an error.
struct NegotiationResponse {
  std::optional<Challenge> challenge;
  std::optional<Terms> accepted;
  std::optional<HostError> error;
};
Result<Bytes> encode_negotiation_response(const NegotiationResponse& response, MutBytes into);

/// decode_negotiation_response reads the host's answer as a careful guest does.
///   stated   the terms this guest sent; null if it sent none, then what `accepted` holds is not looked at
///   errors   host_chosen_params unless params is ["EcPublicKeyBytes","Challenge"]; host_chosen_challenge;
///            ext_not_honoured; contradiction (error beside challenge, params or accepted); the JSON and base64 codes
///   spec     docs/protocol.md, NegotiationResponse
Result<NegotiationResponse> decode_negotiation_response(MutBytes json, const Terms* stated);

}  // namespace attestbed::protocol
