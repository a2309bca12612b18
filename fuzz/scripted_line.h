// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/reader.h"
#include "core/platform/transport.h"
#include "sim/manual_clock.h"

namespace attestbed::fuzz {

using Octets = std::vector<std::uint8_t>;

/// ScriptedLine is a line whose far end acts out a script, the fuzz input: a step of the script is one octet (modulo
/// kSteps) and its operands, integers little-endian. What the far end sends comes no earlier than the script has it,
/// and a frame is made only when it is sent, so that it can answer what was written before.
///   octets  n:1 octets:n               sent as they are
///   pause   n:1                        nothing is sent for n * 100 ms
///   frame   which:1 …                  a frame; `make` writes its body and may read operands
///   edit    at:2 xor:1                 one octet of the next frame, its length prefix included, is another
///   splice  at:2 drop:1 n:1 octets:n   in the next frame's body, before its length is written
///   cut     keep:2                     the next frame ends early
///   pace    piece:1 n:1                from now on at most `piece` octets at once (0: any), n * 10 ms apart
///   close                              the line ends; so it does after the last step
///   silence                            nothing more is ever sent
class ScriptedLine final : public Transport {
 public:
  using MakeFrame = std::function<std::string(std::uint8_t which, Reader& operands)>;

  /// WriteTrouble is what happens to the n-th write_all, counted from 1 (0: never), and all that follow: each takes
  /// `delay`, and then the line breaks or not. read_trouble takes it from the script: nth:1 (modulo 8), n:1 (times 100
  /// ms, the highest bit: it breaks).
  struct WriteTrouble {
    unsigned nth_call = 0;
    std::chrono::nanoseconds delay{};
    bool breaks = false;
  };
  static WriteTrouble read_trouble(Reader& script);

  ScriptedLine(Reader script, WriteTrouble trouble, sim::ManualClock& clock, MakeFrame make)
      : script_(script), trouble_(trouble), clock_(clock), make_(std::move(make)) {}

  Result<std::size_t> read_some(MutBytes into, Deadline until) override;
  Status write_all(Bytes from, Deadline until) override;

  /// What the near end has read and written so far, and whether a call of it failed.
  const Octets& delivered() const { return delivered_; }
  const Octets& written() const { return written_; }
  /// writes_at holds, for every write_all, how many octets had been read when it came.
  const std::vector<std::size_t>& writes_at() const { return writes_at_; }
  bool read_failed() const { return read_failed_; }
  bool write_failed() const { return write_failed_; }

 private:
  enum class Step : std::uint8_t { octets, pause, frame, edit, splice, cut, pace, close, silence };
  static constexpr std::uint8_t kSteps = 9;
  struct Splice {
    std::size_t at, drop;
    Bytes octets;
  };
  struct Edit {
    std::size_t at;
    std::uint8_t mask;
  };
  Result<std::size_t> read(MutBytes into, Deadline until);
  Status step();
  Status prepare(Step what);
  Status send_frame();

  Reader script_;
  WriteTrouble trouble_;
  sim::ManualClock& clock_;
  MakeFrame make_;
  Octets delivered_, written_, pending_;
  std::size_t sent_ = 0;  // of pending_
  Instant free_{};        // the far end is busy, or silent, until then
  std::size_t piece_ = 0;
  std::chrono::nanoseconds gap_{};
  std::vector<Splice> splices_;
  std::vector<Edit> edits_;
  std::optional<std::size_t> cut_;
  bool closed_ = false, silent_ = false, read_failed_ = false, write_failed_ = false;
  std::vector<std::size_t> writes_at_;
};

/// Frames cuts a stream into the bodies of whole frames; `rest` is what follows the last one.
struct Frames {
  std::vector<std::string> bodies;
  Octets rest;
};
Frames frames_in(const Octets& stream);

}  // namespace attestbed::fuzz
