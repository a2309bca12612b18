// SPDX-License-Identifier: Apache-2.0
#include "guest/tsm_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/posix/fd.h"

namespace attestbed::guest {
namespace {

posix::Fd open_attribute(const std::string& path, int flags) {
  return posix::Fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
}

}  // namespace

int TsmDirectory::make(const std::string& entry) {
  return ::mkdir((path_ + "/" + entry).c_str(), 0700) == 0 ? 0 : errno;
}

int TsmDirectory::remove(const std::string& entry) {
  return ::rmdir((path_ + "/" + entry).c_str()) == 0 ? 0 : errno;
}

int TsmDirectory::write(const std::string& entry, const char* attribute, Bytes octets) {
  posix::Fd fd = open_attribute(path_ + "/" + entry + "/" + attribute, O_WRONLY);
  if (!fd) return errno;
  const ssize_t wrote = ::write(fd.get(), octets.data(), octets.size());
  if (wrote < 0) return errno;
  if (static_cast<std::size_t>(wrote) != octets.size()) return EIO;
  return ::close(fd.release()) == 0 ? 0 : errno;
}

int TsmDirectory::read(const std::string& entry, const char* attribute, MutBytes into, std::size_t& got) {
  got = 0;
  const posix::Fd fd = open_attribute(path_ + "/" + entry + "/" + attribute, O_RDONLY);
  if (!fd) return errno;
  while (true) {
    std::array<std::uint8_t, 1> beyond{};
    const bool full = got == into.size();
    const MutBytes room = full ? MutBytes(beyond) : into.subspan(got);
    const ssize_t more = ::read(fd.get(), room.data(), room.size());
    if (more < 0) return errno;
    if (more == 0) return 0;
    if (full) return EFBIG;
    got += static_cast<std::size_t>(more);
  }
}

bool TsmDirectory::exists() const {
  struct stat about {};
  return ::stat(path_.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace attestbed::guest
