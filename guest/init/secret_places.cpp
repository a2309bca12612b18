// SPDX-License-Identifier: Apache-2.0
#include "guest/init/secret_places.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "core/base/secret.h"
#include "core/posix/fd_transport.h"
#include "guest/hardening.h"
#include "guest/init/virtio_port.h"

namespace attestbed::guest {
namespace {

Error failed(const char* call) {
  return {Errc::io_failed, call, static_cast<std::uint64_t>(errno)};
}

/// FifoWriter is what the process that waits for a reader does. It was forked from the one that attested, so it drops
/// what came with it: only its own copy of the secret is left to it.
[[noreturn]] void write_to_reader(const std::string& path, SecretBuffer<32 * 1024>& secret,
                                  std::chrono::seconds patience) {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(static_cast<unsigned>(patience.count()));  // ends this process, and the kernel clears its pages
  const int pipe = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  Bytes left = secret.expose();
  while (pipe >= 0 && !left.empty()) {
    const ssize_t wrote = ::write(pipe, left.data(), left.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    left = left.subspan(static_cast<std::size_t>(wrote));
  }
  secret.clear();
  ::unlink(path.c_str());
  ::_exit(left.empty() ? 0 : 1);
}

}  // namespace

Status FifoPlace::check() {
  if (::mkfifo(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return failed("attest.secret=fifo:");
  return ok();
}

Result<std::string> FifoPlace::take(Bytes secret) {
  SecretBuffer<32 * 1024> kept;
  if (secret.size() > kept.capacity()) return Error{Errc::too_large, "attest.secret", secret.size(), kept.capacity()};
  const MutBytes into = kept.expose_mut(secret.size());
  std::copy(secret.begin(), secret.end(), into.begin());
  const pid_t writer = ::fork();
  if (writer < 0) return failed("fork");
  if (writer == 0) {
    keep_out_of_swap({reinterpret_cast<const std::uint8_t*>(&kept), sizeof kept});
    write_to_reader(path_, kept, patience_);
  }
  return "fifo " + path_;
}

Result<std::string> KeyPlace::take(Bytes secret) {
  const long key =
      ::syscall(SYS_add_key, "user", description_.c_str(), secret.data(), secret.size(), KEY_SPEC_USER_KEYRING);
  if (key < 0) return failed("add_key");
  return "key " + description_;
}

Status PortPlace::check() {
  Outcome<std::string> device = find_virtio_port(kVirtioPortsFolder, name_, clock_, until_);
  if (!device) return device.error().error;
  device_ = *std::move(device);
  return ok();
}

Result<std::string> PortPlace::take(Bytes secret) {
  Outcome<posix::Fd> port = open_virtio_port(device_, clock_, until_);
  if (!port) return port.error().error;
  posix::FdTransport line(*std::move(port), clock_);
  TRY(line.write_all(secret, until_));
  return "virtio port " + name_ + ", where the host reads it";
}

}  // namespace attestbed::guest
