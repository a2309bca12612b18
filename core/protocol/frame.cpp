// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/frame.h"

#include <algorithm>
#include <cstring>

#include "core/base/wire.h"

namespace attestbed::protocol {
namespace {

// A line that ends before the first octet of a frame is an orderly end; inside a frame something is missing.
Status read_exactly(Transport& wire, MutBytes into, std::size_t frame_octets_before, const char* where,
                    Deadline until) {
  std::size_t have = 0;
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

constexpr std::size_t kMinObjectBytes = 2;  // "{}"
constexpr std::size_t kStartBytes = kFramePrefixBytes + 1;

// Whether `octets`, at most kStartBytes of them, may be the beginning of a length in 2..65536 and a brace.
bool may_start(Bytes octets) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < octets.size() && i < kFramePrefixBytes; ++i) {
    length |= static_cast<std::uint64_t>(octets[i]) << (8 * i);
  }
  // What is missing of the length can only make it larger.
  if (length > kMaxFrameBytes) return false;
  if (octets.size() >= kFramePrefixBytes && length < kMinObjectBytes) return false;
  return octets.size() < kStartBytes || octets[kFramePrefixBytes] == '{';
}

}  // namespace

Status send_frame(Transport& wire, Bytes body, Deadline until) {
  if (body.empty()) return Error{Errc::frame_empty, "frame length", 0, kMaxFrameBytes};
  if (body.size() > kMaxFrameBytes) return Error{Errc::frame_too_large, "frame length", body.size(), kMaxFrameBytes};
  const le64 length(body.size());
  ByteArray<kFramePrefixBytes> prefix;
  std::memcpy(prefix.data(), &length, sizeof length);
  TRY(wire.write_all(prefix, until));
  return wire.write_all(body, until);
}

Result<MutBytes> receive_frame(Transport& wire, MutBytes into, Deadline until) {
  ByteArray<kFramePrefixBytes> prefix;
  TRY(read_exactly(wire, prefix, 0, "frame length", until));
  le64 announced;
  std::memcpy(&announced, prefix.data(), sizeof announced);
  const std::uint64_t length = announced;
  const std::size_t limit = std::min(into.size(), kMaxFrameBytes);
  if (length == 0) return Error{Errc::frame_empty, "frame length", 0, limit};
  if (length > limit) return Error{Errc::frame_too_large, "frame length", length, limit};
  const MutBytes body = into.first(static_cast<std::size_t>(length));
  TRY(read_exactly(wire, body, kFramePrefixBytes, "frame body", until));
  return body;
}

Result<FrameStart> find_frame(Transport& wire, Deadline until) {
  ByteArray<kStartBytes> window;
  std::size_t have = 0, skipped = 0;
  for (;;) {
    const std::size_t taken = skipped + have;
    // Never more than the frame that begins at the window's first octet has left before its brace: one that begins
    // later has more.
    const Result<std::size_t> got = wire.read_some(MutBytes(window).subspan(have), until);
    if (!got) {
      const bool inside = got.error().code == Errc::closed && taken > 0;
      return inside ? Error{Errc::truncated, "frame length", have, kFramePrefixBytes} : got.error();
    }
    have += *got;
    std::size_t first = 0;
    while (first < have && !may_start(Bytes(window).subspan(first, have - first))) ++first;
    skipped += first;
    have -= first;
    if (skipped > kMaxSkippedOctets) return Error{Errc::line_noise, "first frame", skipped, kMaxSkippedOctets};
    std::memmove(window.data(), window.data() + first, have);
    if (have < kStartBytes) continue;
    le64 length;
    std::memcpy(&length, window.data(), sizeof length);
    return FrameStart{.body_octets = static_cast<std::size_t>(std::uint64_t{length}), .skipped = skipped};
  }
}

Result<MutBytes> receive_found(Transport& wire, const FrameStart& start, MutBytes into, Deadline until) {
  const std::size_t limit = std::min(into.size(), kMaxFrameBytes);
  if (start.body_octets == 0) return Error{Errc::frame_empty, "frame length", 0, limit};
  if (start.body_octets > limit) return Error{Errc::frame_too_large, "frame length", start.body_octets, limit};
  const MutBytes body = into.first(start.body_octets);
  body[0] = '{';
  TRY(read_exactly(wire, body.subspan(1), kStartBytes, "frame body", until));
  return body;
}

}  // namespace attestbed::protocol
