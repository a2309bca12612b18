// SPDX-License-Identifier: Apache-2.0
#include "guest/attempt.h"

#include <algorithm>

#include "core/posix/describe.h"
#include "core/posix/fd_transport.h"
#include "guest/frame_tally.h"
#include "guest/recording_reports.h"
#include "guest/secret_sink.h"

namespace attestbed::guest {
namespace {

// Kept before the secret is handed on: after a failure here nothing was handed on, so the attempt can be repeated.
Status keep_report(const RecordingReports& reports, const std::string& file) {
  if (file.empty() || !reports.last()) return ok();
  const Status written = posix::write_file_private(file, snp::octets_of(*reports.last()));
  if (!written) return Error{Errc::io_failed, "--report", written.error().found};
  return ok();
}

/// Attempt is one run: what was opened for it, and what there is to tell of it.
class Attempt {
 public:
  Attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory)
      : options_(options), clock_(clock), entropy_(entropy), memory_(memory), firmware_(clock, memory.pages) {
    summary_.terms = options.config.terms;
    summary_.simulated_firmware = options.firmware.simulated();
    summary_.started = clock.now();
  }

  /// prepare checks what can be checked and reaches the firmware: nothing is asked of the host before.
  Status prepare() {
    TRY(check_config(options_.config));
    TRY(check_destinations(options_));
    TRY(firmware_.open(options_.firmware, options_.vmpl, until()));
    summary_.firmware = firmware_.used().text();
    return ok();
  }

  Status over(Transport& wire, LineKind kind) {
    FrameTally tally(wire);
    RecordingReports reports(firmware_.reports());
    summary_.connected = clock_.now();
    AttestConfig config = options_.config;
    config.line = kind;
    config.budget = std::max(until() - *summary_.connected, std::chrono::nanoseconds(1));
    const Result<Released> released =
        attest({tally, reports, entropy_, clock_}, config, memory_.workspace, options_.key_progress);
    summary_.trace = memory_.workspace.trace;
    summary_.frames = tally.octets().size();
    std::ranges::copy(tally.octets(), summary_.frame_octets.begin());
    const Status kept = keep_report(reports, options_.report_file);
    if (!released) return released.error();
    TRY(kept);
    summary_.kept_in = TRY(hand_on(released->secret, options_));
    summary_.secret = SecretFacts{.octets = released->secret.size()};
    summary_.authenticated = released->authenticated;
    return ok();
  }

  Deadline until() const { return summary_.started + options_.config.budget; }

  Summary told(const Status& done) && {
    if (!done) summary_.error = done.error();
    return std::move(summary_);
  }

 private:
  const Options& options_;
  Clock& clock_;
  Entropy& entropy_;
  Memory& memory_;
  Firmware firmware_;
  Summary summary_;
};

Status on_the_line_of(const Options& options, Clock& clock, Attempt& attempt) {
  TRY(attempt.prepare());
  posix::Fd line = TRY(open_line(options.line, clock, attempt.until()));
  posix::FdTransport wire(std::move(line), clock);
  return attempt.over(wire, options.line.line_kind());
}

Status on_an_open_line(Transport& wire, LineKind kind, Attempt& attempt) {
  TRY(attempt.prepare());
  return attempt.over(wire, kind);
}

}  // namespace

Summary run_attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory) {
  Attempt attempt(options, clock, entropy, memory);
  const Status done = on_the_line_of(options, clock, attempt);
  return std::move(attempt).told(done);
}

Summary run_attempt_over(Transport& wire, LineKind kind, const Options& options, Clock& clock, Entropy& entropy,
                         Memory& memory) {
  Attempt attempt(options, clock, entropy, memory);
  const Status done = on_an_open_line(wire, kind, attempt);
  return std::move(attempt).told(done);
}

}  // namespace attestbed::guest
