// SPDX-License-Identifier: Apache-2.0
#include "guest/init/device_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/posix/fd.h"

namespace attestbed::guest {
namespace {

constexpr std::chrono::milliseconds kLookAgain{1};
constexpr std::chrono::milliseconds kEndsWithin{250};
constexpr std::size_t kMaxReadyBytes = 1024;

Failure unreachable(std::string text, std::string remedy, int error = 0) {
  return {{Errc::firmware_unreachable, "simulated /dev/sev-guest", static_cast<std::uint64_t>(error)},
          std::move(text),
          std::move(remedy)};
}

// waitid, since waitpid cannot leave a child to be waited for.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pid);
  return ::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

[[noreturn]] void run_child(const std::string& program, const std::vector<std::string>& arguments, int out) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  ::dup2(out, STDOUT_FILENO);  // without close-on-exec
  ::execve(program.c_str(), argv.data(), environment);
  ::_exit(127);
}

}  // namespace

Outcome<void> DeviceProcess::start(const std::string& program, const std::vector<std::string>& arguments,
                                   const std::string& device, Clock& clock, Deadline until) {
  if (::access(program.c_str(), X_OK) != 0) {
    return unreachable(program + ": cannot be run: " + strerrordesc_np(errno),
                       "make the image with it (attestbed image --sim-device), or use attest.firmware=sev-guest",
                       errno);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return unreachable("pipe: " + std::string(strerrordesc_np(errno)), "");
  const posix::Fd out(ends[0]);
  posix::Fd in(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) return unreachable("fork: " + std::string(strerrordesc_np(errno)), "give the guest more memory", errno);
  if (pid_ == 0) run_child(program, arguments, in.get());
  in.reset();
  TRY(wait_ready(out.get(), program, clock, until));
  while (::access(device.c_str(), F_OK) != 0) {
    if (has_ended(pid_)) return ended(program);
    if (clock.now() >= until) {
      return unreachable(device + " does not appear though " + program + " says it is ready",
                         "see the console for what it says", ENOENT);
    }
    clock.wait_until(clock.now() + kLookAgain);
  }
  return {};
}

Outcome<void> DeviceProcess::wait_ready(int out, const std::string& program, Clock& clock, Deadline until) {
  std::string said;
  for (;;) {
    char octets[256];
    const ssize_t got = ::read(out, octets, std::min(sizeof octets, kMaxReadyBytes - said.size()));
    if (got == 0) return ended(program);
    if (got > 0) said.append(octets, static_cast<std::size_t>(got));
    // A line of its own, and complete.
    const std::size_t ready = said.starts_with("ready") ? 0 : said.find("\nready");
    if (ready != std::string::npos && said.find('\n', ready + 1) != std::string::npos) return {};
    if (said.size() >= kMaxReadyBytes) {
      return unreachable(program + ": says no ready line within 1024 octets", "use the program of this version");
    }
    if (got > 0) continue;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock.now()).count();
    if (left <= 0) {
      return unreachable(program + ": is not ready in time: the host's firmware does not answer",
                         "see that snp-sim serves the socket of the virtio port attestbed.firmware", ETIMEDOUT);
    }
    pollfd waiting{out, POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 1000)));
  }
}

Failure DeviceProcess::ended(const std::string& program) {
  const std::optional<int> status = reaped_within(kEndsWithin);
  if (!status) {
    stop();
    return unreachable(program + ": closed its output before it was ready, and went on",
                       "use the program of this version");
  }
  const std::string how = WIFSIGNALED(*status) ? "signal " + std::to_string(WTERMSIG(*status))
                                               : "exit " + std::to_string(WEXITSTATUS(*status));
  return unreachable(program + ": ended before it was ready (" + how + ")", "its own line above says why");
}

std::optional<int> DeviceProcess::reaped_within(std::chrono::milliseconds patience) {
  for (std::chrono::milliseconds waited{0};; waited += kLookAgain) {
    int status = 0;
    const pid_t pid = ::waitpid(pid_, &status, WNOHANG);
    if (pid == pid_ || (pid < 0 && errno != EINTR)) {
      pid_ = -1;
      return status;
    }
    if (waited >= patience) return std::nullopt;
    ::poll(nullptr, 0, static_cast<int>(kLookAgain.count()));
  }
}

void DeviceProcess::stop() {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    (void)reaped_within(kEndsWithin);
  }
  pid_ = -1;  // the kernel keeps it from ending: nobody waits for that
}

void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace attestbed::guest
