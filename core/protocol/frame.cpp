// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/frame.h"

#include <algorithm>
#include <cstring>

#include "core/base/wire.h"

namespace attestbed::protocol {
namespace {

// A line that ends before the first octet of a frame is an orderly end; inside a frame something is missing.
//   have                 octets of `into` that are there already
//   frame_octets_before  of this frame, before `into`
Status read_exactly(Transport& wire, MutBytes into, std::size_t have, std::size_t frame_octets_before,
                    const char* where, Deadline until) {
  while (have < into.size()) {
    const Result<std::size_t> got = wire.read_some(into.subspan(have), until);
    if (!got) {
      const bool inside = frame_octets_before + have > 0;
      if (got.error().code == Errc::closed && inside) return Error{Errc::truncated, where, have, into.size()};
      return got.error();
    }
    have += *got;
  }
  return ok();
}

using Prefix = ByteArray<kFramePrefixBytes>;

// receive_rest reads a frame of which the first `have` octets, all of the prefix, were read before.
Result<MutBytes> receive_rest(Transport& wire, Prefix prefix, std::size_t have, MutBytes into, Deadline until) {
  TRY(read_exactly(wire, prefix, have, 0, "frame length", until));
  le64 announced;
  std::memcpy(&announced, prefix.data(), sizeof announced);
  const std::uint64_t length = announced;
  const std::size_t limit = std::min(into.size(), kMaxFrameBytes);
  if (length == 0) return Error{Errc::frame_empty, "frame length", 0, limit};
  if (length > limit) return Error{Errc::frame_too_large, "frame length", length, limit};
  const MutBytes body = into.first(static_cast<std::size_t>(length));
  TRY(read_exactly(wire, body, 0, kFramePrefixBytes, "frame body", until));
  return body;
}

}  // namespace

Status send_frame(Transport& wire, Bytes body, Deadline until) {
  if (body.empty()) return Error{Errc::frame_empty, "frame length", 0, kMaxFrameBytes};
  if (body.size() > kMaxFrameBytes) return Error{Errc::frame_too_large, "frame length", body.size(), kMaxFrameBytes};
  const le64 length(body.size());
  Prefix prefix;
  std::memcpy(prefix.data(), &length, sizeof length);
  TRY(wire.write_all(prefix, until));
  return wire.write_all(body, until);
}

Result<MutBytes> receive_frame(Transport& wire, MutBytes into, Deadline until) {
  return receive_rest(wire, {}, 0, into, until);
}

Result<std::optional<MutBytes>> receive_frame_begun_by(Transport& wire, MutBytes into, Deadline begin, Deadline until) {
  Prefix prefix;
  const Result<std::size_t> got = wire.read_some(prefix, std::min(begin, until));
  if (!got) {
    if (got.error().code == Errc::deadline && begin < until) return std::optional<MutBytes>();
    return got.error();
  }
  const MutBytes body = TRY(receive_rest(wire, prefix, *got, into, until));
  return std::optional(body);
}

}  // namespace attestbed::protocol
