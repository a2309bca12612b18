// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "core/log/event_log.h"
#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/posix/fd_transport.h"
#include "sim/commands.h"
#include "sim/guest_image.h"
#include "sim/serve.h"
#include "sim/stop_signals.h"

namespace attestbed::sim {
namespace {

using log::Level;

constexpr int kBacklog = 64;

/// ServeLog writes what happens as event lines. Of REPORT_DATA it shows the first 16 hex digits, enough to find the
/// same attestation in other logs.
class ServeLog final : public ServeObserver {
 public:
  void launched(std::uint64_t guest) override { log::event(Level::info, "guest_launched", {{"guest", guest}}); }

  void answered(std::uint64_t guest, const snp::GuestRequestExit& exit, const CallRecord* call,
                const Fault* fault) override {
    nlohmann::ordered_json fields = {{"guest", guest}, {"vmm", exit.vmm}, {"firmware", exit.firmware}};
    if (call != nullptr) {
      fields["type"] = call->type;
      fields["vmpck"] = call->vmpck;
      fields["seqno"] = call->seqno;
      fields["status"] = code_of(call->status);
      if (*call->why != '\0') fields["why"] = call->why;
      if (call->report_data != snp::ReportData{}) {
        fields["report_data"] = posix::to_hex(Bytes(call->report_data).first(8));
      }
    }
    if (fault != nullptr) fields["fault"] = fault_text(*fault);
    const bool served = exit.vmm == 0 && exit.firmware == 0 && fault == nullptr;
    log::event(served ? Level::info : Level::warning, "guest_request", fields);
  }

  void ended(std::uint64_t guest, const Error& why) override {
    const bool orderly = why.code == Errc::closed;
    log::event(orderly ? Level::info : Level::warning, "guest_ended",
               {{"guest", guest}, {"code", error_name(why.code)}, {"reason", posix::describe(why)}});
  }

  void turned_away(const Error& why) override {
    log::event(Level::warning, "turned_away", {{"code", error_name(why.code)}, {"reason", posix::describe(why)}});
  }
};

}  // namespace

int run_serve(const ServeOptions& options) {
  const auto config = prepare(options.machine, options.guest);
  if (!config) return fail(config.error());
  auto host = prepare_host(options.host, config->machine);
  if (!host) return fail(host.error());
  // A policy that the firmware refuses is refused for every guest: say so now, not to each of them.
  const auto trial = launch_guest(*config, 0);
  if (!trial) return fail(failure_at("launch", trial.error()));

  const posix::Fd signals = take_signals();
  if (!signals) return fail({Errc::io_failed, "signalfd: " + std::to_string(errno)});
  auto listener = posix::listen_unix(options.unix_path, kBacklog,
                                     options.force ? posix::IfExists::take_over : posix::IfExists::refuse);
  if (!listener) return fail(failure_at("unix:" + options.unix_path, listener.error()));

  const posix::OwnedSocketPath path(options.unix_path);
  const std::string measurement = posix::to_hex(trial->measurement);
  log::event(Level::warning, "simulated",
             {{"text", "SIMULATED SEV-SNP: no hardware, no security"},
              {"keys", options.machine.ca_directory.empty() ? "PUBLIC TEST KEYS of the default seed"
                                                            : "those in " + options.machine.ca_directory}});
  std::cout << "ready unix:" << options.unix_path << " measurement " << measurement << std::endl;
  log::event(Level::info, "ready",
             {{"listen", "unix:" + options.unix_path},
              {"product", snp::product_name(config->machine.authority->profile().product)},
              {"chip_id", posix::to_hex(config->machine.authority->chip_id())},
              {"measurement", measurement}});

  posix::SteadyClock clock;
  ServeLog observer;
  ServeLimits limits;
  limits.max_guests = options.max_guests;
  limits.idle = std::chrono::seconds(options.idle_seconds);
  FirmwareServer server(*config, *std::move(host), limits, clock, observer);
  const Status ended = server.run(*std::move(listener), signals.get());
  if (!ended) return fail(failure_at("serve", ended.error()));
  log::event(Level::info, "stopped");
  return 0;
}

}  // namespace attestbed::sim
