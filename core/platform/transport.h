// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/platform/clock.h"

namespace attestbed {

/// LineKind says what may be taken for granted about the octets of a line.
///   connected  a socket: the peer is there, the first octet is its first octet
///   serial     a line that was there before either end: octets may be older than the peer, may come from something
///              else, and may have gone where nobody listened yet
enum class LineKind : std::uint8_t { connected, serial };

/// Transport is one reliable byte stream to the peer; framing lives above it. Both calls return by `until`.
class Transport {
 public:
  /// read_some reads 1 to into.size() octets. Errors: deadline, closed (orderly end), transport (anything else).
  virtual Result<std::size_t> read_some(MutBytes into, Deadline until) = 0;
  /// write_all writes every octet or fails; after a failure an unknown part was written.
  virtual Status write_all(Bytes from, Deadline until) = 0;

 protected:
  ~Transport() = default;
};

}  // namespace attestbed
