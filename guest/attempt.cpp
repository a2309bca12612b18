// SPDX-License-Identifier: Apache-2.0
#include "guest/attempt.h"

#include <algorithm>

#include "core/posix/describe.h"
#include "core/posix/fd_transport.h"
#include "core/posix/firmware_socket.h"
#include "guest/frame_tally.h"
#include "guest/recording_reports.h"
#include "guest/secret_sink.h"

namespace attestbed::guest {
namespace {

// Core's codes name what broke, not on which of the two lines: a dead firmware must not read as a dead proxy.
Error firmware_error(const Error& error, const char* where) {
  switch (error.code) {
    case Errc::deadline:
    case Errc::closed:
    case Errc::transport:
      return {Errc::firmware_unreachable, where, error.found, error.expected};
    case Errc::bad_length:
    case Errc::reserved_set:
      return {Errc::firmware_reply, where, error.found, error.expected};
    default:
      return error;
  }
}

Result<snp::Vmpck> fetch_vmpck(posix::FirmwareSocket& firmware, snp::Page& page, Deadline until) {
  const Status fetched = firmware.secrets_page(page, until);
  if (!fetched) return firmware_error(fetched.error(), "secrets page");
  Result<snp::Vmpck> key = snp::vmpck_from_secrets_page(page, 0);
  wipe(page);
  return key;
}

// Kept before the secret is handed on: after a failure here nothing was handed on, so the attempt can be repeated.
Status keep_report(const RecordingReports& reports, const std::string& file) {
  if (file.empty() || !reports.last()) return ok();
  const Status written = posix::write_file_private(file, snp::octets_of(*reports.last()));
  if (!written) return Error{Errc::io_failed, "--report", written.error().found};
  return ok();
}

Status attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory, Summary& summary) {
  AttestConfig config = options.config;
  TRY(check_config(config));
  TRY(check_destinations(options));
  const Deadline until = summary.started + config.budget;

  const auto firmware = posix::FirmwareSocket::connect(options.firmware_path, clock, until);
  if (!firmware) return firmware_error(firmware.error(), "--firmware");
  snp::Vmpck vmpck = TRY(fetch_vmpck(**firmware, memory.pages.scratch, until));
  snp::GuestChannel channel(std::move(vmpck), **firmware, clock, memory.pages, {.vmpl = options.vmpl});
  RecordingReports reports(channel);

  posix::Fd line = TRY(posix::connect_unix(options.proxy_path, clock, until));
  posix::FdTransport wire(std::move(line), clock);
  FrameTally tally(wire);
  summary.connected = clock.now();

  config.budget = std::max(until - *summary.connected, std::chrono::nanoseconds(1));
  const Result<Released> released = attest({tally, reports, entropy, clock}, config, memory.workspace);
  summary.trace = memory.workspace.trace;
  summary.frames = tally.octets().size();
  std::ranges::copy(tally.octets(), summary.frame_octets.begin());
  const Status kept = keep_report(reports, options.report_file);
  if (!released) return released.error();
  TRY(kept);
  const crypto::Sha256Digest digest = TRY(crypto::sha256({released->secret}));
  summary.kept_in = TRY(hand_on(released->secret, options));
  summary.secret = {released->secret.size(), digest};
  summary.authenticated = released->authenticated;
  return ok();
}

}  // namespace

Summary run_attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory) {
  Summary summary;
  summary.terms = options.config.terms;
  summary.started = clock.now();
  const Status done = attempt(options, clock, entropy, memory, summary);
  if (!done) summary.error = done.error();
  return summary;
}

}  // namespace attestbed::guest
