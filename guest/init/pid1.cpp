// SPDX-License-Identifier: Apache-2.0
#include "guest/init/pid1.h"

#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "core/posix/describe.h"
#include "core/posix/hardening.h"
#include "guest/init/console.h"
#include "guest/init/leaving.h"
#include "guest/init/linux_machine.h"

namespace attestbed::guest {

bool is_init(const char* program) {
  if (::getpid() != 1 || program == nullptr) return false;
  const std::string_view path = program;
  return path.substr(path.rfind('/') + 1) == "init";
}

void run_as_init(const char* version) {
  open_console();
  leave_when_crashing();
  std::signal(SIGPIPE, SIG_IGN);
  LinuxMachine machine;
  if (const Status hardened = posix::forbid_core_dumps(); !hardened) {
    machine.say("failed: " + posix::describe(hardened.error()));
    leave({.exit = error_row(hardened.error().code).guest_exit, .debug_exit = std::nullopt});
  }
  leave(run_sequence(machine, version));
}

}  // namespace attestbed::guest
