// SPDX-License-Identifier: Apache-2.0
#include "guest/init/leaving.h"

#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>

#include "guest/init/console.h"
#include "guest/init/port_instructions.h"

namespace attestbed::guest {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

// A crash finds nothing but these. 0 = no port.
std::atomic<std::uint16_t> debug_exit_port{0};
constexpr std::size_t kCrashStackBytes = 64 * 1024;
alignas(16) char crash_stack[kCrashStackBytes];

void nap() {
  const timespec time{0, 2'000'000};
  ::nanosleep(&time, nullptr);
}

// Not tcdrain: a host that does not read would keep it for ever.
void let_console_out() {
  for (int waited = 0; waited < 500; ++waited, nap()) {
    int queued = 0;
    if (::ioctl(STDOUT_FILENO, TIOCOUTQ, &queued) != 0) return;
    unsigned sent = TIOCSER_TEMT;
    if (queued == 0 && (::ioctl(STDOUT_FILENO, TIOCSERGETLSR, &sent) != 0 || (sent & TIOCSER_TEMT) != 0)) return;
  }
}

void crashed(int signal) {
  char text[] = "crashed by signal 00: internal: a defect of this program: please report it with these lines";
  constexpr std::size_t kNumber = sizeof("crashed by signal ") - 1;
  text[kNumber] = static_cast<char>('0' + signal / 10 % 10);
  text[kNumber + 1] = static_cast<char>('0' + signal % 10);
  say_on_console(text);
  const std::uint16_t port = debug_exit_port.load();
  leave({kExitCrashed, port == 0 ? std::nullopt : std::optional(port)});
}

}  // namespace

void leave(const Ending& ending) {
  let_console_out();
  if (ending.debug_exit && take_ports(*ending.debug_exit, 1)) {
    PortInstructions().out(*ending.debug_exit, static_cast<std::uint8_t>(0x10 + ending.exit));
  }
  ::sync();
  ::reboot(RB_POWER_OFF);
  ::reboot(RB_AUTOBOOT);  // a machine without a power switch
  for (;;) ::pause();
}

void remember_debug_exit(std::optional<std::uint16_t> port) {
  debug_exit_port.store(port.value_or(0));
}

void leave_when_crashing() {
  stack_t stack{};
  stack.ss_sp = crash_stack;
  stack.ss_size = sizeof crash_stack;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = crashed;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
}

}  // namespace attestbed::guest
