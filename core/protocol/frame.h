// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/platform/transport.h"

namespace attestbed::protocol {

/// A frame is an 8-octet little-endian length and that many octets of JSON (facts/aproxy-wire section 2;
/// docs/protocol).
inline constexpr std::size_t kMaxFrameBytes = 64 * 1024;
inline constexpr std::size_t kFramePrefixBytes = 8;
inline constexpr std::size_t kMaxCiphertextBytes = 32 * 1024;

/// send_frame writes length and body. Errors: frame_empty, frame_too_large (nothing was written); the transport's.
Status send_frame(Transport& wire, Bytes body, Deadline until);

/// receive_frame reads one frame into `into`. The length is judged before one body octet is read or stored.
///   returns  the body, 1..min(into.size(), kMaxFrameBytes) octets, a view into `into`
///   errors   frame_empty, frame_too_large (length in `found`), truncated if the line closes inside the frame,
///            closed if it closes before it; the transport's
Result<MutBytes> receive_frame(Transport& wire, MutBytes into, Deadline until);

/// receive_frame_begun_by is receive_frame where the peer may never have heard the question.
///   returns  nothing if no octet came by `begin`; the line is as it was
///   errors   as receive_frame; a frame that began and is not complete by `until` is `deadline`
Result<std::optional<MutBytes>> receive_frame_begun_by(Transport& wire, MutBytes into, Deadline begin, Deadline until);

}  // namespace attestbed::protocol
