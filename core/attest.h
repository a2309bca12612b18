// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/platform.h"
#include "core/protocol/attestation.h"
#include "core/protocol/guest_line.h"

namespace attestbed {

/// SecretAuth says how the guest knows that the secret is its owner's.
///   unset  nobody has decided: refused
///   none   it does not know, and its configuration says so by name; owner-signed secrets (docs/protocol.md,
///          authenticated secrets) are the other value to come
enum class SecretAuth : std::uint8_t { unset, none };

/// AttestConfig is the guest's own, measured configuration: nothing the host says changes it.
///   line  what Platform::wire is; a serial line has rules of its own (core/protocol/guest_line.h)
struct AttestConfig {
  protocol::Terms terms{};
  LineKind line = LineKind::connected;
  SecretAuth secret_auth = SecretAuth::unset;
  bool allow_empty_secret = false;
  std::chrono::nanoseconds budget = std::chrono::seconds(60);  // for the whole attempt
};

/// check_config refuses what attest() would refuse, before anything is started. Errors: bad_config.
Status check_config(const AttestConfig& config);

/// AttestStep is a stage of an attempt, in order; a trace says which were reached and when.
enum class AttestStep : std::uint8_t { start, key, negotiated, reported, answered, opened };
inline constexpr std::size_t kAttestSteps = 6;
const char* attest_step_name(AttestStep step);

/// AttestTrace is what an attempt leaves behind for people, whether it succeeded or not. Nothing in it is secret.
struct AttestTrace {
  std::array<Instant, kAttestSteps> at{};  // when the step was complete; valid up to `reached`
  AttestStep reached = AttestStep::start;
  std::size_t octets_sent = 0, octets_received = 0;
  std::size_t negotiation_requests = 0;  // sent; above 1 only on serial lines
  bool in_step = true;                   // false: whether guest and host agree where the next frame begins is not known
  std::optional<protocol::Challenge> challenge;
  std::optional<snp::ReportData> report_data;
  std::optional<protocol::HostError> host_error;
};

/// Workspace is the memory of one attempt, the caller's. It wipes itself; the secret lives in it.
struct Workspace {
  ByteArray<protocol::kMaxFrameBytes> receive;
  ByteArray<protocol::kMaxFrameBytes> send;
  protocol::GuestKey key;
  AttestTrace trace;

  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();
};

/// Released is what a successful attempt yields.
///   secret         1..32768 octets (0 only if configured), a view into the Workspace
///   authenticated  true only if the owner's signature over the secret was verified
struct Released {
  Bytes secret;
  bool authenticated;
};

/// attest runs one attempt: negotiate, have the firmware sign REPORT_DATA, send the evidence, open the answer. One key
/// pair serves one attempt. Allocates nothing; every wait ends by clock.now() + config.budget, and one second later
/// after an attempt that lost step on a serial line: it keeps silent that long before it returns, so that the host's
/// drain tells this attempt from the next.
///   progress  hears of the search for an RSA key, the one step that takes long by itself; may be null
///   errors  every code with a guest exit in docs/errors.md; a refusal by the host is the host's code, its detail is
///           in workspace.trace.host_error
Result<Released> attest(const Platform& platform, const AttestConfig& config, Workspace& workspace,
                        crypto::KeyProgress* progress = nullptr);

}  // namespace attestbed
