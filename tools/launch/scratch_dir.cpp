// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/scratch_dir.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace attestbed::launch {
namespace {

void remove_all(const std::string& path) {
  std::error_code ignored;  // symbolic links are removed, not followed
  std::filesystem::remove_all(path, ignored);
}

// A session of its own, so that a terminal's signals do not reach it, and no descriptor but its own, so that it keeps
// neither another remover waiting nor a reader of this program's output.
[[noreturn]] void wait_and_remove(const std::string& path, int alive) {
  ::setsid();
  if (alive > 0) ::syscall(SYS_close_range, 0U, static_cast<unsigned>(alive) - 1, 0U);
  ::syscall(SYS_close_range, static_cast<unsigned>(alive) + 1, ~0U, 0U);
  char nothing = 0;
  while (::read(alive, &nothing, 1) < 0 && errno == EINTR) {
  }
  remove_all(path);
  ::_exit(0);
}

Failure failure(const char* what) {
  return {.program = {}, .reason = std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

// /tmp by name and not by TMPDIR: no behaviour hangs on the environment, and a unix socket's path has 107 octets.
Outcome<ScratchDir> ScratchDir::make() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure("cannot make a pipe");
  const posix::Fd waiting(ends[0]);
  posix::Fd alive(ends[1]);
  std::string path = "/tmp/attestbed-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return failure("cannot make a directory under /tmp");
  const pid_t remover = ::fork();
  if (remover == 0) wait_and_remove(path, waiting.get());
  if (remover < 0) {
    const Failure why = failure("cannot fork");
    remove_all(path);
    return why;
  }
  return ScratchDir(std::move(path), std::move(alive), remover);
}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      alive_(std::move(other.alive_)),
      remover_(std::exchange(other.remover_, -1)) {}

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
    alive_ = std::move(other.alive_);
    remover_ = std::exchange(other.remover_, -1);
  }
  return *this;
}

ScratchDir::~ScratchDir() {
  remove();
}

void ScratchDir::remove() {
  if (path_.empty()) return;
  alive_.reset();
  ::waitpid(remover_, nullptr, 0);
  remove_all(path_);  // nothing is left, unless somebody killed the remover
}

}  // namespace attestbed::launch
