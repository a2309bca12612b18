// SPDX-License-Identifier: Apache-2.0
#include "proxy/attempt_worker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <exception>

#include "core/log/event_log.h"
#include "proxy/guest_wire.h"

namespace attestbed::proxy {

AttemptWorker::AttemptWorker(Backend& backend, const SessionConfig& config, Clock& clock)
    : backend_(backend), config_(config), clock_(clock), cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

LineState AttemptWorker::work(Line& line) {
  try {
    SessionLog log(++sessions_, line.name);
    const std::unique_ptr<BrokerSession> broker = backend_.open(cancelled_);
    GuestWire guest(*line.wire, cancel_fd_.get(), clock_, cancelled_);
    const LineRules rules{.kind = line.kind,
                          .start = line.start,
                          .take_attempt = [&] { return line.peer->take_attempt(clock_.now()); },
                          .open_broker = [&] { return backend_.open(cancelled_); }};
    const LineState state = serve_attempt(guest, *broker, config_, clock_, cancelled_, log, rules);
    line.wire->cancel_on(-1);
    return state;
  } catch (const std::exception& error) {
    log::event(log::Level::error, "session_failed", {{"peer", line.name}, {"detail", error.what()}});
    return LineState::lost;
  }
}

void AttemptWorker::cancel() {
  if (cancelled_.exchange(true)) return;
  const std::uint64_t one = 1;
  (void)!write(cancel_fd_.get(), &one, sizeof one);  // an eventfd that is full is readable, which is all that is wanted
}

}  // namespace attestbed::proxy
