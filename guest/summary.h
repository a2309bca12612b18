// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/attest.h"

namespace attestbed::guest {

/// SecretFacts is what may be said about a released secret: no digest, which tells a secret that can be guessed.
struct SecretFacts {
  std::size_t octets = 0;
};

/// Summary is what one attempt left to tell. Nothing in it is secret but what SecretFacts says.
///   started, connected  before the first connect; after proxy and firmware answered, absent if one did not
///   error               why there is no secret; absent = released
///   frame_octets        sizes of the frames that crossed the line, prefix included: guest, host, guest, host
///   simulated_firmware  the report came over the socket of a simulation. The kernel's interfaces may be simulated,
///   too:
///                       that cannot be told from here
///   firmware            the way that was taken, as --firmware names it; empty before it was open
///   kept_in             where the secret went, empty = dropped
struct Summary {
  protocol::Terms terms;
  Instant started;
  std::optional<Instant> connected;
  AttestTrace trace;
  std::array<std::size_t, 4> frame_octets{};
  std::size_t frames = 0;
  std::optional<Error> error;
  bool authenticated = false;
  bool simulated_firmware = false;
  std::string firmware;
  std::optional<SecretFacts> secret;
  std::string kept_in;

  bool released() const { return !error; }
  /// exit is the exit status of attest-guest: 0, or the guest_exit of the error's row.
  int exit() const { return error ? error_row(error->code).guest_exit : 0; }
  /// outcome is "released", "refused" (exit 1) or "failed" (everything else).
  const char* outcome() const;
};

/// Enough for a path of 4095 octets that all need escaping.
inline constexpr std::size_t kMaxSummaryBytes = 32 * 1024;

/// write_summary_json writes the result as one object. Members are only ever added.
///   outcome, exit       see Summary
///   code, field, expected, found, meaning, remedy   the error, with the row of docs/errors.md; absent if released
///   detail              the host's own words, escaped; null if it gave none; absent if released
///   attestation         id that every log of this attempt names; null before the challenge is known
///   authenticated       whether the owner's signature over the secret was verified
///   simulated_firmware  whether the report came over the socket of a simulation
///   firmware            where reports come from (of auto: what was chosen); null before it was open
///   negotiation_requests  how often it was sent; above 1 only on serial lines
///   secret              {octets, kept_in (path or null)}; null if none was released
///   phases              [{name, ms}] of the steps that were completed, in order
///   frames              [{message, from, octets}] that crossed the line; the last one may be cut off
///   terms               {binding, key, resource} that the guest asked for
///   report_data         hex; null before it is known
/// Errors: no_space.
Result<Bytes> write_summary_json(const Summary& summary, MutBytes into);

/// summary_line is the result as people read it, one line without line feed.
std::string summary_line(const Summary& summary);

}  // namespace attestbed::guest
