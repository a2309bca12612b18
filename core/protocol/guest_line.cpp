// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/guest_line.h"

#include <algorithm>
#include <cstring>

#include "core/protocol/attestation.h"

namespace attestbed::protocol {

Status drain_until_silence(Transport& wire, Clock& clock, std::chrono::nanoseconds silence, Deadline until) {
  ByteArray<256> dropped;
  std::uint64_t octets = 0;
  for (;;) {
    const Instant now = clock.now();
    if (now >= until || until - now < silence) {
      // Too late for a whole silence: what was heard so far decides what to call it.
      if (octets == 0) return Error{Errc::deadline, "line"};
      return Error{Errc::line_noise, "octets before the first frame", octets, 0};
    }
    const Result<std::size_t> got = wire.read_some(dropped, now + silence);
    if (got) {
      octets += *got;
    } else {
      if (got.error().code == Errc::deadline) return ok();
      return got.error();
    }
  }
}

Status GuestLine::send(Bytes frame) {
  TRY(send_frame(wire_, frame, until_));
  octets_sent_ += kFramePrefixBytes + frame.size();
  return ok();
}

MutBytes GuestLine::received(MutBytes frame) {
  octets_received_ += kFramePrefixBytes + frame.size();
  return frame;
}

Result<MutBytes> GuestLine::receive(MutBytes into) {
  const MutBytes frame = TRY(receive_frame(wire_, into, until_));
  return received(frame);
}

// last_word is for a line that took no more of ours: the host may have refused and closed without reading. Anything but
// a refusal is no answer to what was not sent.
//   scratch  as large as `into`, or empty: then only a NegotiationResponse is looked for
Result<MutBytes> GuestLine::last_word(const Error& sending, KeyType key, MutBytes into, MutBytes scratch) {
  if (sending.code != Errc::transport) return sending;
  const Result<MutBytes> frame = receive_frame(wire_, into, std::min(until_, clock_.now() + kLastWord));
  if (!frame) return sending;
  // Decoding works in place, so the first of two decoders gets a copy.
  if (frame->size() <= scratch.size()) {
    std::memcpy(scratch.data(), frame->data(), frame->size());
    const auto verdict = decode_attestation_response(scratch.first(frame->size()), key);
    if (verdict && verdict->error) refused_ = verdict->error;
  }
  if (!refused_) {
    const auto response = decode_negotiation_response(*frame, nullptr);
    if (response && response->error) refused_ = response->error;
  }
  if (!refused_) return sending;
  return received(*frame);
}

Result<MutBytes> GuestLine::negotiate(Bytes request, MutBytes into) {
  if (kind_ == LineKind::serial) {
    const Deadline limit = std::min(until_, clock_.now() + kGuestDrainLimit);
    TRY(drain_until_silence(wire_, clock_, kGuestDrainSilence, limit));
  }
  for (;;) {
    const Status sent_whole = send(request);
    if (!sent_whole) return last_word(sent_whole.error(), KeyType::p521, into, {});
    ++requests_;
    if (kind_ == LineKind::connected) return receive(into);
    const Instant sent = clock_.now();
    // A repetition that could not be answered any more would only be noise for the next attempt.
    if (sent >= until_ || until_ - sent <= kRepeatAfter) return receive(into);
    const std::optional<MutBytes> answer = TRY(receive_frame_begun_by(wire_, into, sent + kRepeatAfter, until_));
    if (answer) return received(*answer);
  }
}

// Decoding works in place, so it works on a copy: this frame may be the AttestationResponse.
bool GuestLine::is_repeated_answer(Bytes answer, const Challenge& used, const Terms* stated, MutBytes scratch) {
  if (answer.size() > scratch.size()) return false;
  const MutBytes copy = scratch.first(answer.size());
  std::memcpy(copy.data(), answer.data(), answer.size());
  const Result<NegotiationResponse> decoded = decode_negotiation_response(copy, stated);
  if (!decoded) return false;
  if (decoded->error && decoded->error->phase == Phase::negotiation) refused_ = decoded->error;
  return decoded->challenge && *decoded->challenge == used;
}

Result<MutBytes> GuestLine::conclude(Bytes request, const Challenge& used, const Terms* stated, MutBytes into,
                                     MutBytes scratch) {
  const Status sent_whole = send(request);
  if (!sent_whole) return last_word(sent_whole.error(), stated != nullptr ? stated->key : KeyType::p521, into, scratch);
  for (std::size_t crossed = requests_ - 1;; --crossed) {
    const MutBytes answer = TRY(receive(into));
    if (crossed == 0 || !is_repeated_answer(answer, used, stated, scratch)) return answer;
  }
}

}  // namespace attestbed::protocol
