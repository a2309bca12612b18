// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/transport.h"

namespace attestbed::guest {

/// FrameTally passes octets on and counts them by turn. Guest and proxy take turns, one frame each (docs/protocol.md),
/// so a turn is a frame; one that broke off counts with what went through. On a serial line a turn also holds what was
/// repeated or dropped in it; what came before the guest's first octet was drained and does not count.
class FrameTally final : public Transport {
 public:
  static constexpr std::size_t kFrames = 4;

  explicit FrameTally(Transport& wire) : wire_(wire) {}

  Result<std::size_t> read_some(MutBytes into, Deadline until) override {
    const std::size_t got = TRY(wire_.read_some(into, until));
    count(Turn::host, got);
    return got;
  }
  Status write_all(Bytes from, Deadline until) override {
    TRY(wire_.write_all(from, until));
    count(Turn::guest, from.size());
    return ok();
  }

  /// octets returns the sizes, prefix included, of the frames so far: guest, host, guest, host.
  std::span<const std::size_t> octets() const { return std::span(octets_).first(frames_); }

 private:
  enum class Turn { nobody, guest, host };

  void count(Turn turn, std::size_t octets) {
    if (turn == Turn::host && turn_ == Turn::nobody) return;
    if (turn != turn_ && frames_ < kFrames) ++frames_;
    turn_ = turn;
    octets_[frames_ - 1] += octets;
  }

  Transport& wire_;
  Turn turn_ = Turn::nobody;
  std::array<std::size_t, kFrames> octets_{};
  std::size_t frames_ = 0;
};

}  // namespace attestbed::guest
