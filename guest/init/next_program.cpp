// SPDX-License-Identifier: Apache-2.0
#include "guest/init/next_program.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "core/posix/describe.h"
#include "core/posix/fd.h"

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

Failure bad_root(const std::string& root, const std::string& why) {
  return {{Errc::bad_config, "attest.next"},
          root + ": " + why,
          "have an earlier program mount the next root (rdinit=PROGRAM, which then executes /init), or use "
          "attest.next=exec: with a program that does"};
}

// Looked for as the next root sees it: /sbin/init may be a link to a path that is absolute there.
Outcome<void> check_init_in(const posix::Fd& root, const NextWord& next) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const posix::Fd init(static_cast<int>(::syscall(SYS_openat2, root.get(), next.init.c_str(), &how, sizeof how)));
  const std::string program = next.root + next.init;
  if (!init) return failed(program, "open");
  struct stat about {};
  if (::fstat(init.get(), &about) != 0) return failed(program, "stat");
  if (!S_ISREG(about.st_mode) || (about.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    return bad_root(program, "is no program");
  }
  return {};
}

// All of `/` is removed for the next root, and an initramfs is the only thing that is worth nothing then. The kernel
// has it as ramfs or tmpfs.
Outcome<void> check_disposable() {
  struct statfs about {};
  if (::statfs("/", &about) != 0) return failed("/", "statfs");
  if (about.f_type == RAMFS_MAGIC || about.f_type == TMPFS_MAGIC) return {};
  return Failure{{Errc::bad_config, "attest.next"},
                 "/: is no initramfs, but a file system of type " +
                     posix::hex_number(static_cast<std::uint64_t>(about.f_type)) +
                     ", and switch_root removes everything in it",
                 "start attest-guest from an initramfs (attestbed image), or use attest.next=exec:"};
}

Outcome<void> check_root(const NextWord& next) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(next.root.c_str(), nullptr), std::free);
  if (!real) return failed(next.root, "realpath");
  const std::string path = real.get();
  for (const std::string folder : kMoved) {
    if (path == folder || path.starts_with(folder + "/"))
      return bad_root(next.root, "is below " + folder + ", which moves into the next root");
  }
  const posix::Fd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed(next.root, "open");
  struct stat here {
  }, above{};
  if (::fstat(root.get(), &here) != 0 || ::stat((path + "/..").c_str(), &above) != 0) return failed(next.root, "stat");
  if (here.st_dev == above.st_dev) return bad_root(next.root, "is no mount point");
  for (const char* const folder : kMoved) {
    struct stat about {};
    const bool found = ::fstatat(root.get(), &folder[1], &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (!found || !S_ISDIR(about.st_mode)) return bad_root(next.root, std::string("has no directory ") + folder);
  }
  TRY(check_init_in(root, next));
  return check_disposable();
}

}  // namespace

Outcome<void> check_next(const NextWord& next) {
  if (next.type == NextWord::Type::poweroff) return {};
  if (next.type == NextWord::Type::switch_root) return check_root(next);
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
