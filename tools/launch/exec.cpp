// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tools/launch/child.h"

namespace attestbed::launch {
namespace {

// Nothing of the caller's environment reaches a child: no behaviour may hang on it, and it may hold secrets.
constexpr const char* kChildEnvironment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", nullptr};

struct Pipe {
  posix::Fd read, write;
};

Outcome<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Failure{.reason = std::string("cannot make a pipe: ") + std::strerror(errno)};
  return Pipe{posix::Fd(ends[0]), posix::Fd(ends[1])};
}

struct ChildSide {
  const char* program;
  char* const* argv;
  int input, out, err, failed;
  pid_t parent;
};

[[noreturn]] void report_and_leave(int failed) {
  const int why = errno;
  [[maybe_unused]] const ssize_t written = ::write(failed, &why, sizeof why);
  ::_exit(127);
}

// Between fork and exec only async-signal-safe calls are allowed: the parent may have had threads.
[[noreturn]] void become(const ChildSide& side) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != side.parent) ::_exit(127);  // the parent died before the line above took effect
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  if (::dup2(side.input, STDIN_FILENO) < 0 || ::dup2(side.out, STDOUT_FILENO) < 0 ||
      ::dup2(side.err, STDERR_FILENO) < 0) {
    report_and_leave(side.failed);
  }
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execve(side.program, side.argv, const_cast<char* const*>(kChildEnvironment));
  report_and_leave(side.failed);
}

}  // namespace

Outcome<Spawned> spawn(const Command& command) {
  const auto failure = [&](const char* what, int why) {
    return Failure{.program = command.name,
                   .reason = std::string(what) + " " + command.program + ": " + std::strerror(why)};
  };
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  Pipe failed = TRY(make_pipe());
  const posix::Fd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input) return failure("cannot open /dev/null for", errno);

  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(command.program.c_str()));
  for (const std::string& arg : command.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  const ChildSide side{command.program.c_str(), argv.data(),        input.get(), out.write.get(),
                       err.write.get(),         failed.write.get(), ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return failure("cannot fork for", errno);
  if (pid == 0) become(side);
  ::setpgid(pid, pid);  // in both, so that neither needs to wait for the other

  failed.write.reset();
  int why = 0;
  ssize_t got = 0;
  do {
    got = ::read(failed.read.get(), &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {  // the pipe closes without a word when exec succeeds
    ::waitpid(pid, nullptr, 0);
    return failure("cannot execute", got > 0 ? why : EIO);
  }
  Spawned spawned{pid, posix::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))), std::move(out.read),
                  std::move(err.read)};
  if (!spawned.pid_fd) {
    const int reason = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return failure("cannot watch", reason);
  }
  for (const int fd : {spawned.out.get(), spawned.err.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return spawned;
}

}  // namespace attestbed::launch
