// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/posix/fd.h"
#include "core/posix/path.h"

namespace attestbed::posix {
namespace {

Error failed(const char* what) {
  return {Errc::io_failed, what, static_cast<std::uint64_t>(errno)};
}

Status write_all(int fd, Bytes octets) {
  while (!octets.empty()) {
    const ssize_t wrote = write(fd, octets.data(), octets.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("write");
    octets = octets.subspan(static_cast<std::size_t>(wrote));
  }
  return ok();
}

/// Place is where a file gets its name: its directory, opened before anything is made there, and the name in it.
struct Place {
  Fd directory;
  std::string name;
};

Result<Place> place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty()) return Error{Errc::io_failed, "open", EISDIR};
  // O_PATH, since a directory that may be written but not read is good enough to put a file into.
  Fd directory(open(directory_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("open of the directory");
  return Place{std::move(directory), std::move(name)};
}

/// fill makes the nameless or provisional file complete. Before it has its name: after a crash, that must not name a
/// file whose contents never arrived.
Status fill(const Fd& file, Bytes octets) {
  if (fchmod(file.get(), S_IRUSR | S_IWUSR) != 0) return failed("fchmod");  // a umask may have taken even these
  TRY(write_all(file.get(), octets));
  if (fsync(file.get()) != 0) return failed("fsync");
  return ok();
}

/// keep_name hurries the new entry of the directory to the disk. Whatever comes of it, the file is there, whole and
/// under its name: a caller that was told otherwise would think the octets lost.
void keep_name(const Place& place) {
  const Fd entries(openat(place.directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries) (void)fsync(entries.get());
}

/// link_nameless gives a file without a name its first one; EEXIST if that is taken.
bool link_nameless(const Fd& file, const Place& place) {
  const std::string own = "/proc/self/fd/" + std::to_string(file.get());
  const int directory = place.directory.get();
  if (linkat(AT_FDCWD, own.c_str(), directory, place.name.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  if (errno == EEXIST) return false;
  // Early boot may have no /proc; without it this takes CAP_DAC_READ_SEARCH.
  return linkat(file.get(), "", directory, place.name.c_str(), AT_EMPTY_PATH) == 0;
}

/// publish_renamed writes under a provisional name, which is gone in the end, and renames.
Status publish_renamed(const Place& place, Bytes octets, unsigned rename_flags) {
  ByteArray<8> unique;
  KernelEntropy entropy;
  TRY(entropy.fill(unique));
  const std::string provisional = ".attestbed-" + to_hex(unique);
  const int directory = place.directory.get();
  const Fd file(
      openat(directory, provisional.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) return failed("open");
  Status published = fill(file, octets);
  if (published && renameat2(directory, provisional.c_str(), directory, place.name.c_str(), rename_flags) != 0) {
    published = failed("rename");
  }
  if (!published) unlinkat(directory, provisional.c_str(), 0);
  return published;
}

/// publish_linked writes a file that has no name until it is complete: nothing is left behind, however this ends.
/// EOPNOTSUPP if this file system or this machine cannot.
Status publish_linked(const Place& place, Bytes octets) {
  const Fd file(openat(place.directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
  const Error cannot{Errc::io_failed, "O_TMPFILE", EOPNOTSUPP};
  if (!file && (errno == EISDIR || errno == EINVAL)) return cannot;  // how older kernels say it
  if (!file) return failed("open");
  TRY(fill(file, octets));
  if (link_nameless(file, place)) return ok();
  return errno == EEXIST ? failed("link") : cannot;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max) {
  // Without O_NONBLOCK the open of a FIFO waits for a writer, and that of a device for whatever it likes.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return failed("open");
  struct stat kind {};
  if (fstat(file.get(), &kind) != 0) return failed("fstat");
  if (S_ISDIR(kind.st_mode)) return Error{Errc::io_failed, "read", EISDIR};
  if (!S_ISREG(kind.st_mode)) return Error{Errc::io_failed, kNotRegular};
  constexpr std::size_t kPiece = 64 * 1024;
  std::string octets;
  for (;;) {
    // One octet beyond `max` tells a file that is too large from one that just fits; its size may be a lie (/proc).
    const std::size_t have = octets.size();
    octets.resize(have + std::min(kPiece, max - have + 1));
    const ssize_t got = read(file.get(), octets.data() + have, octets.size() - have);
    octets.resize(have + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) return octets;
    if (octets.size() > max) return Error{Errc::too_large, "file", octets.size(), max};
  }
}

Status write_file_private(const std::string& path, Bytes octets, NewFile by) {
  const Place place = TRY(place_of(path));
  Status published = Error{Errc::io_failed, "O_TMPFILE", EOPNOTSUPP};
  if (by == NewFile::linked) published = publish_linked(place, octets);
  const bool cannot_link = !published && published.error().found == EOPNOTSUPP;
  if (cannot_link) published = publish_renamed(place, octets, RENAME_NOREPLACE);
  if (published) keep_name(place);
  return published;
}

Status replace_file_private(const std::string& path, Bytes octets) {
  const Place place = TRY(place_of(path));
  TRY(publish_renamed(place, octets, 0));
  keep_name(place);
  return ok();
}

}  // namespace attestbed::posix
