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

constexpr std::size_t kStartBytes = kFramePrefixBytes + 1;

// Whether `octets`, at most kStartBytes of them, may be the beginning of a length in 2..65536 and a brace.
bool may_start(Bytes octets) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < octets.size() && i < kFramePrefixBytes; ++i) {
    length |= static_cast<std::uint64_t>(octets[i]) << (8 * i);
  }
  // What is missing of the length can only make it larger.
  if (length > kMaxFrameBytes) return false;
  if (octets.size() >= kFramePrefixBytes && length < kMinFoundBytes) return false;
  return octets.size() < kStartBytes || octets[kFramePrefixBytes] == '{';
}

using Prefix = ByteArray<kFramePrefixBytes>;

// receive_rest reads a frame of which the first `have` octets, all of the prefix, were read before.
Result<MutBytes> receive_rest(Transport& wire, Prefix prefix, std::size_t have, MutBytes into, Deadline until) {
  TRY(read_exactly(wire, prefix, have, 0, "frame length", until));
  le64 announced;
  std::memcpy(&announced, prefix.data(), sizeof announced);
  const std::uint64_t length = announced;
  const std::size_t limit = std::min(into.size(), kMaxFrameBytes);
  if (length == 0) return Error{Errc::frame_empty, "frame length", 0, 1};
  if (length > limit) return Error{Errc::frame_too_large, "frame length", length, limit};
  const MutBytes body = into.first(static_cast<std::size_t>(length));
  TRY(read_exactly(wire, body, 0, kFramePrefixBytes, "frame body", until));
  return body;
}

}  // namespace

Status send_frame(Transport& wire, Bytes body, Deadline until) {
  if (body.empty()) return Error{Errc::frame_empty, "frame length", 0, 1};
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

Result<std::optional<FrameStart>> FrameSearch::look(Transport& wire, Deadline until) {
  const std::size_t taken = skipped_ + have_;
  // Never more than the frame that begins at the window's first octet has left before its brace: one that begins later
  // has more.
  const Result<std::size_t> got = wire.read_some(MutBytes(window_).subspan(have_), until);
  if (!got) {
    const bool inside = got.error().code == Errc::closed && taken > 0;
    return inside ? Error{Errc::truncated, "frame length", have_, kFramePrefixBytes} : got.error();
  }
  have_ += *got;
  std::size_t first = 0;
  while (first < have_ && !may_start(Bytes(window_).subspan(first, have_ - first))) ++first;
  skipped_ += first;
  have_ -= first;
  if (skipped_ > kMaxSkippedOctets) return Error{Errc::line_noise, "first frame", skipped_, kMaxSkippedOctets};
  std::memmove(window_.data(), window_.data() + first, have_);
  if (have_ < kStartBytes) return std::optional<FrameStart>();
  le64 length;
  std::memcpy(&length, window_.data(), sizeof length);
  return std::optional(FrameStart{static_cast<std::size_t>(std::uint64_t{length}), skipped_});
}

Result<FrameStart> find_frame(Transport& wire, Deadline until) {
  FrameSearch search;
  for (;;) {
    const std::optional<FrameStart> start = TRY(search.look(wire, until));
    if (start) return *start;
  }
}

Result<MutBytes> receive_found(Transport& wire, const FrameStart& start, MutBytes into, Deadline until) {
  const std::size_t limit = std::min(into.size(), kMaxFrameBytes);
  if (start.body_octets == 0) return Error{Errc::frame_empty, "frame length", 0, 1};
  if (start.body_octets > limit) return Error{Errc::frame_too_large, "frame length", start.body_octets, limit};
  const MutBytes body = into.first(start.body_octets);
  body[0] = '{';
  TRY(read_exactly(wire, body.subspan(1), 0, kStartBytes, "frame body", until));
  return body;
}

}  // namespace attestbed::protocol
