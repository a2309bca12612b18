// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

// One file per subcommand. Each function adds its subcommand with its flags to `app`; when the subcommand was chosen,
// parsing runs it and leaves its exit code in `exit_code`: 0 ok, 1 refused, 2 usage, 3 could not run.
namespace attestbed::tools {

void add_run(CLI::App& app, int& exit_code);
/// kUartGuestCommand is what attestbed starts itself as; its exit codes are those of attest-guest.
inline constexpr const char* kUartGuestCommand = "uart-guest";
void add_uart_guest(CLI::App& app, int& exit_code);

void add_vm(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_measure(CLI::App& app, int& exit_code);
void add_image(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace attestbed::tools
