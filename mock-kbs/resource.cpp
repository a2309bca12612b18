// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/resource.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/secret.h"
#include "core/posix/fd.h"

namespace attestbed::kbs {

SecretOctets::SecretOctets(SecretOctets&& other) noexcept
    : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}

SecretOctets& SecretOctets::operator=(SecretOctets&& other) noexcept {
  if (this != &other) {
    shrink(0);
    octets_ = std::move(other.octets_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretOctets::~SecretOctets() {
  shrink(0);
}

void SecretOctets::shrink(std::size_t size) {
  if (size >= size_) return;
  wipe(expose_mut().subspan(size));
  size_ = size;
}

Checked<SecretOctets> read_secret_file(const std::string& path) {
  const auto failed = [&path](int error) {
    return Refusal{Errc::io_failed, path, "a readable file", std::generic_category().message(error)};
  };
  // O_NONBLOCK, so that a FIFO without a writer cannot hold the program before the check that it is a regular file.
  const posix::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failed(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return Refusal{Errc::io_failed, path, "a regular file", "something else"};
  if (std::cmp_greater(status.st_size, kMaxResourceBytes)) {
    return Refusal{Errc::too_large, path, "at most " + std::to_string(kMaxResourceBytes) + " octets",
                   std::to_string(status.st_size)};
  }
  SecretOctets secret(static_cast<std::size_t>(status.st_size));
  std::size_t have = 0;
  while (have < secret.size()) {
    const ssize_t n = ::read(file.get(), secret.expose_mut().data() + have, secret.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  secret.shrink(have);
  return secret;
}

}  // namespace attestbed::kbs
