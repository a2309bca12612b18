// SPDX-License-Identifier: Apache-2.0
// What `attestbed run --transport uart` starts for each guest: this program again, with a subcommand that no help
// names. A process of its own, so that a guest is started, stopped and read like any other.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/posix/clock.h"
#include "guest/key_progress.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/run_uart.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/stop_signal.h"

namespace attestbed::tools {

void add_uart_guest(CLI::App& app, int& exit) {
  auto guest = std::make_shared<UartGuest>();
  auto seconds = std::make_shared<unsigned>(60);
  auto binding = std::make_shared<std::string>("svsm-sha512"), key = std::make_shared<std::string>("P-521");
  CLI::App* command = app.add_subcommand(kUartGuestCommand, "One guest over the 16550 model")->group("");
  command->add_option("--unix", guest->proxy_socket, "The proxy's socket for serial ports")->required();
  command->add_option("--firmware", guest->firmware_socket, "The firmware's socket")->required();
  command->add_option("--resource", guest->resource, "repository/type/tag")->required();
  command->add_option("--binding", *binding, "Binding");
  command->add_option("--key", *key, "Key");
  command->add_option("--vmpl", guest->vmpl, "VMPL of the report")->check(CLI::Range(0, 3));
  command->add_option("--timeout", *seconds, "Seconds for the attempt")->check(CLI::Range(1, 86400));
  command->add_option("--out", guest->secret_file, "New file for the secret")->required();
  command->add_option("--report", guest->report_file, "New file for the report")->required();
  command->callback([guest, seconds, binding, key, &exit] {
    const auto bound = protocol::binding_named(*binding, "--binding");
    const auto typed = protocol::key_type_named(*key, "--key");
    if (!bound || !typed) {
      exit = kExitUsage;
      return;
    }
    guest->binding = *bound;
    guest->key = *typed;
    const launch::StopSignal stop;
    posix::SteadyClock clock;
    guest::KeyProgressLines key_progress(
        clock, [](const std::string& line) { std::fprintf(stderr, "attest-guest: %s\n", line.c_str()); });
    guest->key_progress = &key_progress;
    guest->stop_fd = stop.fd();
    guest->timeout = std::chrono::seconds(*seconds);
    const UartGuestEnd end = run_uart_guest(*guest, clock);
    std::fputs(end.result.c_str(), stdout);
    std::fputs(end.words.c_str(), stderr);
    exit = end.exit.number;
  });
}

}  // namespace attestbed::tools
