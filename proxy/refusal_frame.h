// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "core/protocol/attestation.h"
#include "core/protocol/negotiation.h"

namespace attestbed::proxy {

/// encode_refusal writes the error frame of a phase, without its length prefix, into `into`. `detail` is cut to what
/// the protocol allows. Errors: no_space, for less than 504 octets.
Result<Bytes> encode_refusal(Errc code, protocol::Phase phase, std::string_view detail, MutBytes into);

/// refusal_frame is the same with its length prefix, as it goes over the line; for refusals that need no attempt. At
/// most 512 octets.
std::vector<std::uint8_t> refusal_frame(Errc code, protocol::Phase phase, std::string_view detail);

}  // namespace attestbed::proxy
