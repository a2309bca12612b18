// SPDX-License-Identifier: Apache-2.0
#include "guest/init/next_program.h"

#include <ftw.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace attestbed::guest {
namespace {

constexpr int kFoldersOpenAtOnce = 16;
constexpr std::array kMoved{"/dev", "/proc", "/sys", "/run"};

Failure failed(const std::string& subject, const char* call) {
  return failure_at(subject, {Errc::io_failed, call, static_cast<std::uint64_t>(errno)});
}

int remove_entry(const char* path, const struct stat*, int type, FTW* at) {
  if (at->level == 0) return 0;
  type == FTW_DP ? ::rmdir(path) : ::unlink(path);
  return 0;
}

Outcome<void> switch_to(const std::string& root) {
  for (const char* const folder : kMoved) {
    const std::string there = root + folder;
    if (::mount(folder, there.c_str(), nullptr, MS_MOVE, nullptr) != 0) return failed(there, "mount MS_MOVE");
  }
  // FTW_MOUNT: not into what is mounted here, the new root least of all.
  (void)::nftw("/", remove_entry, kFoldersOpenAtOnce, FTW_MOUNT | FTW_DEPTH | FTW_PHYS);
  if (::chdir(root.c_str()) != 0) return failed(root, "chdir");
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0) return failed(root, "mount MS_MOVE");
  if (::chroot(".") != 0 || ::chdir("/") != 0) return failed(root, "chroot");
  return {};
}

}  // namespace

Outcome<void> check_next(const NextWord& next) {
  if (next.type == NextWord::Type::poweroff) return {};
  if (next.type == NextWord::Type::switch_root) {
    struct stat here {
    }, there{};
    if (::stat("/", &here) != 0 || ::stat(next.root.c_str(), &there) != 0) return failed(next.root, "stat");
    if (!S_ISDIR(there.st_mode) || here.st_dev == there.st_dev) {
      return Failure{{Errc::bad_config, "attest.next"},
                     next.root + ": is no mount point",
                     "mount the next root there first, or use attest.next=exec: with a program that does"};
    }
  }
  const std::string program = next.root + next.init;
  if (::access(program.c_str(), X_OK) != 0) {
    return failure_at(program, {Errc::io_failed, "attest.next", static_cast<std::uint64_t>(errno)},
                      "add it to the image (attestbed image --add HOST=GUEST), executable");
  }
  return {};
}

Failure become_next(const NextWord& next) {
  if (next.type == NextWord::Type::switch_root) {
    if (const Outcome<void> switched = switch_to(next.root); !switched) return switched.error();
  }
  std::signal(SIGPIPE, SIG_DFL);
  const rlimit usual{0, RLIM_INFINITY};
  (void)::setrlimit(RLIMIT_CORE, &usual);
  char* const arguments[] = {const_cast<char*>(next.init.c_str()), nullptr};
  char home[] = "HOME=/", term[] = "TERM=linux";
  char* const environment[] = {home, term, nullptr};
  ::execve(next.init.c_str(), arguments, environment);
  return failed(next.init, "execve");
}

}  // namespace attestbed::guest
