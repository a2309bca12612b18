// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/platform/transport.h"

namespace attestbed::protocol {

/// A frame is an 8-octet little-endian length and that many octets of JSON (coconut-svsm,
/// libaproxy; docs/protocol.md).
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

/// FrameStart is the length of a frame that was found on a serial line, and how many octets of noise came before it.
struct FrameStart {
  std::size_t body_octets = 0;
  std::size_t skipped = 0;
};
inline constexpr std::size_t kMaxSkippedOctets = 4096;
inline constexpr std::size_t kMinFoundBytes = 2;  // "{}"

/// FrameSearch looks on a serial line, where anything may have been written before the peer began to speak, for the
/// beginning of an attempt's first frame: eight octets that are a length in 2..65536, then `{`. It takes no octet
/// beyond that brace, whatever came before it.
class FrameSearch {
 public:
  /// look reads from the line once.
  ///   returns  the beginning, if all of it was read; nothing if it was not
  ///   errors   line_noise after more than kMaxSkippedOctets of anything else; closed if the line ends before an octet
  ///            was read, truncated if it ends later; the transport's, after which looking may go on
  Result<std::optional<FrameStart>> look(Transport& wire, Deadline until);
  /// has_length: the eight octets are there, and the brace alone is missing.
  bool has_length() const { return have_ == kFramePrefixBytes; }

 private:
  ByteArray<kFramePrefixBytes + 1> window_{};
  std::size_t have_ = 0, skipped_ = 0;
};

/// find_frame is a FrameSearch that waits.
///   errors  line_noise after more than kMaxSkippedOctets of anything else; closed if the line ends before an octet was
///           read, truncated if it ends later; the transport's
Result<FrameStart> find_frame(Transport& wire, Deadline until);

/// receive_found reads the rest of the frame that find_frame found: the body without its brace, which goes in front.
/// Returns and errors as receive_frame.
Result<MutBytes> receive_found(Transport& wire, const FrameStart& start, MutBytes into, Deadline until);

}  // namespace attestbed::protocol
