// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/protocol/frame.h"
#include "core/protocol/negotiation.h"

namespace attestbed::protocol {

/// The rules of serial lines (docs/protocol.md, lines and attempts), where octets may be older than the attempt and a
/// question may have gone where nobody listened yet.
inline constexpr std::chrono::milliseconds kGuestDrainSilence{20};  // before the guest's first octet
inline constexpr std::chrono::seconds kGuestDrainLimit{2};
inline constexpr std::chrono::seconds kRepeatAfter{5};        // without one octet of an answer
inline constexpr std::chrono::seconds kGuestSilenceAfter{1};  // after an attempt that lost step

/// On every line: how long the guest looks for the host's word after a write of its own failed. Whoever refuses and
/// closes at once has written before, so the wait is for a scheduler and not for an answer.
inline constexpr std::chrono::seconds kLastWord{1};

/// drain_until_silence reads and drops octets until none came for `silence`.
///   errors  line_noise if the line was not silent that long by `until` (octets dropped in `found`); deadline if it was
///           silent, but `until` was too near to know; the transport's
Status drain_until_silence(Transport& wire, Clock& clock, std::chrono::nanoseconds silence, Deadline until);

/// GuestLine carries the two questions of one attempt to the host and its answers back, by the rules of the line's
/// kind. On a connected line it is send_frame and receive_frame. Every call returns by `until`.
class GuestLine {
 public:
  GuestLine(Transport& wire, LineKind kind, Clock& clock, Deadline until)
      : wire_(wire), kind_(kind), clock_(clock), until_(until) {}

  /// negotiate sends `request` and receives the first answer into `into`. On a serial line it drains the line before
  /// its first octet, and sends the same frame again whenever no octet of an answer came for kRepeatAfter.
  /// A host may refuse and close before it has read: if sending fails with `transport`, a refusal that is there is kept
  /// in refused(), and what is returned is its frame, decoded and so no text any more.
  ///   errors  those of frame.h and drain_until_silence
  Result<MutBytes> negotiate(Bytes request, MutBytes into);

  /// conclude sends `request` and receives the answer to it into `into`. An answer to a repeated NegotiationRequest may
  /// have crossed the first one: of n requests up to n-1 answers that carry the challenge `used` are dropped, and
  /// nothing else is. A refusal of such a repetition is kept in refused(), and so is one that is there when sending
  /// fails, of either phase.
  ///   stated   as for decode_negotiation_response
  ///   scratch  kMaxFrameBytes; may be the memory of `request`, which is sent by then
  Result<MutBytes> conclude(Bytes request, const Challenge& used, const Terms* stated, MutBytes into, MutBytes scratch);

  /// refused is the host's word where it is not simply the answer: in phase negotiation where conclude() expected an
  /// AttestationResponse, or on a line that took no more of ours.
  const std::optional<HostError>& refused() const { return refused_; }

  /// requests counts the NegotiationRequests that were sent; octets are whole frames, prefixes included.
  std::size_t requests() const { return requests_; }
  std::size_t octets_sent() const { return octets_sent_; }
  std::size_t octets_received() const { return octets_received_; }

 private:
  Status send(Bytes frame);
  MutBytes received(MutBytes frame);
  Result<MutBytes> last_word(const Error& sending, KeyType key, MutBytes into, MutBytes scratch);
  Result<MutBytes> receive(MutBytes into);
  bool is_repeated_answer(Bytes answer, const Challenge& used, const Terms* stated, MutBytes scratch);

  Transport& wire_;
  const LineKind kind_;
  Clock& clock_;
  const Deadline until_;
  std::optional<HostError> refused_;
  std::size_t requests_ = 0, octets_sent_ = 0, octets_received_ = 0;
};

}  // namespace attestbed::protocol
