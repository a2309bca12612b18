// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/device/cuse_device.h"
#include "sim/device/firmware_line.h"
#include "sim/device/inside_machine.h"
#include "sim/stop_signals.h"

namespace attestbed::sim {
namespace {

void print_banner(const std::string& name, const char* program, const std::string& firmware) {
  std::cerr << program << ": *** SIMULATED SEV-SNP: no hardware, no security; /dev/" << name
            << " is answered by this program, its firmware is " << firmware << " ***\n";
}

Outcome<void> serve(const DeviceOptions& options, snp::Vmpck key, snp::ExtendedGuestRequestPort& port, Clock& clock,
                    int stop) {
  const auto driver = std::make_unique<SevGuestDriver>(std::move(key), options.vmpck, port, clock);
  IoctlDialogue dialogue(*driver);
  return serve_cuse(options.name, dialogue, stop,
                    [&options] { std::cout << "ready /dev/" << options.name << std::endl; });
}

Outcome<void> run_inside(const DeviceOptions& options, int stop) {
  const LaunchConfig config = TRY(prepare(options.machine, options.guest));
  HostConfig host = TRY(prepare_host(options.host, config.machine));
  auto guest = launch_guest(config, 1);
  if (!guest) return failure_at("launch", guest.error());
  StoppableClock clock(stop);
  InsideMachine machine(config.machine, *std::move(guest), std::move(host), clock);
  auto key = machine.vmpck(options.vmpck);
  if (!key) return failure_at("secrets page", key.error());
  return serve(options, *std::move(key), machine, clock, stop);
}

Outcome<void> run_line(const DeviceOptions& options, int stop) {
  StoppableClock clock(stop);
  const Deadline until = clock.now() + std::chrono::seconds(options.wait_seconds);
  auto line = reach_firmware(options.line, options.vmpck, clock, until, stop);
  if (!line) return failure_at(options.line, line.error());
  return serve(options, std::move(line->key), *line->socket, clock, stop);
}

}  // namespace

int run_device(const DeviceOptions& options, const char* program) {
  const bool public_keys = options.machine.ca_directory.empty();
  const char* inside = public_keys ? "inside it, with PUBLIC TEST KEYS" : "inside it, with test keys";
  print_banner(options.name, program, options.inside ? inside : "at the other end of " + options.line);
  const posix::Fd signals = take_signals();
  if (!signals) return fail({Errc::io_failed, "signalfd: " + std::to_string(errno)}, program);
  const auto served = options.inside ? run_inside(options, signals.get()) : run_line(options, signals.get());
  if (!served) return fail(served.error(), program);
  return 0;
}

}  // namespace attestbed::sim
