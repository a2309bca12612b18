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

/// publish fills the new file `temporary` and gives it its name. The caller removes `temporary` if this fails.
Status publish(Fd file, const std::string& temporary, const std::string& path, Bytes octets) {
  if (fchmod(file.get(), S_IRUSR | S_IWUSR) != 0) return failed("fchmod");  // a umask may have taken even these
  TRY(write_all(file.get(), octets));
  // Before the name: after a crash it must not name a file whose contents never arrived.
  if (fsync(file.get()) != 0) return failed("fsync");
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename");
  return ok();
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return failed("open");
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

Status write_file_private(const std::string& path, Bytes octets) {
  ByteArray<8> unique;
  KernelEntropy entropy;
  TRY(entropy.fill(unique));
  const std::string directory = directory_of(path);
  const std::string temporary = directory + "/.attestbed-" + to_hex(unique);
  Fd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) return failed("open");
  const Status published = publish(std::move(file), temporary, path, octets);
  if (!published) {
    unlink(temporary.c_str());
    return published;
  }
  // The new name is an entry of the directory, which reaches the disk on its own schedule.
  const Fd entries(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!entries || (fsync(entries.get()) != 0 && errno != EINVAL)) return failed("fsync of the directory");
  return ok();
}

}  // namespace attestbed::posix
