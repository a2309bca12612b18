// SPDX-License-Identifier: Apache-2.0
#include "guest/init/secret_places.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/posix/fd_transport.h"
#include "guest/init/fifo_writer.h"

namespace attestbed::guest {
namespace {

Error failed(const char* call) {
  return {Errc::io_failed, call, static_cast<std::uint64_t>(errno)};
}

constexpr int kEndWithinMs = 250;
// A port that the machine has shows at once; one that it has not is not waited for all the time.
constexpr std::chrono::seconds kPortShowsWithin{2};
// Beyond the attempt's own time: a secret that came at the last moment is still handed on.
constexpr std::chrono::seconds kHandOver{5};

bool write_all(int pipe, Bytes octets) {
  while (!octets.empty()) {
    const ssize_t wrote = ::write(pipe, octets.data(), octets.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

FifoPlace::~FifoPlace() {
  pipe_.reset();  // without a secret this ends the writer
  if (writer_ <= 0 || handed_on_) return;
  for (int waited = 0; waited < kEndWithinMs; ++waited) {
    if (::waitpid(writer_, nullptr, WNOHANG) != 0) return;
    ::poll(nullptr, 0, 1);
  }
  ::kill(writer_, SIGKILL);
}

Status FifoPlace::check() {
  const std::size_t slash = path_.rfind('/');
  const std::string name = path_.substr(slash + 1);
  posix::Fd folder(::open(path_.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  constexpr const char* kRemedy = "name a new file in a directory that is there, as in attest.secret=fifo:/run/NAME";
  if (!folder) return keep(failure_at(path_, failed("attest.secret=fifo: folder"), kRemedy));
  if (::mkfifoat(folder.get(), name.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return keep(failure_at(path_, failed("attest.secret=fifo:"), kRemedy));
  }
  if (const Status started = start_writer(std::move(folder), name); !started) {
    ::unlink(path_.c_str());
    return keep(failure_at(path_, started.error(), "give the guest more memory"));
  }
  return ok();
}

Status FifoPlace::start_writer(posix::Fd folder, const std::string& name) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("pipe");
  posix::Fd out(ends[0]);
  pipe_ = posix::Fd(ends[1]);
  writer_ = ::fork();
  if (writer_ < 0) return failed("fork");
  if (writer_ == 0) write_fifo({std::move(out), std::move(folder), name, patience_ + kHandOver, patience_});
  return ok();
}

Result<std::string> FifoPlace::take(Bytes secret) {
  if (secret.size() > kMaxSecretBytes) return Error{Errc::too_large, "attest.secret", secret.size(), kMaxSecretBytes};
  const auto size = static_cast<std::uint32_t>(secret.size());
  ByteArray<sizeof size> head{};
  std::memcpy(head.data(), &size, sizeof size);
  // Both fit into an empty pipe: this does not wait.
  if (!write_all(pipe_.get(), head) || !write_all(pipe_.get(), secret)) {
    return keep(failure_at(path_, failed("attest.secret=fifo: its writer"), "see the console for what ended it"));
  }
  pipe_.reset();
  handed_on_ = true;
  return "fifo " + path_;
}

// Which call it was is in the error; what to do is the same for each.
Error KeyPlace::refused(const char* call) {
  return keep(failure_at("attest.secret=key:" + description_, failed(call),
                         "boot a kernel with keyrings (CONFIG_KEYS), or use attest.secret=file:/run/NAME"));
}

Status KeyPlace::check() {
  constexpr char kProbe[] = "attest-guest: probe";
  const long key = ::syscall(SYS_add_key, "user", kProbe, kProbe, sizeof kProbe, KEY_SPEC_USER_KEYRING);
  if (key < 0) return refused("attest.secret=key: add_key");
  if (::syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING, 0, 0) != 0) {
    return refused("attest.secret=key: unlink");
  }
  return ok();
}

Result<std::string> KeyPlace::take(Bytes secret) {
  if (secret.size() > kMaxKeyBytes) return Error{Errc::too_large, "attest.secret=key:", secret.size(), kMaxKeyBytes};
  const long key =
      ::syscall(SYS_add_key, "user", description_.c_str(), secret.data(), secret.size(), KEY_SPEC_USER_KEYRING);
  if (key < 0) return refused("attest.secret=key: add_key");
  return "key " + description_;
}

Status PortPlace::check() {
  const Deadline soon = std::min<Deadline>(until_, clock_.now() + kPortShowsWithin);
  Outcome<std::string> device = find_virtio_port(folder_, name_, clock_, soon);
  if (!device) return keep(device.error());
  device_ = *std::move(device);
  return ok();
}

Result<std::string> PortPlace::take(Bytes secret) {
  Outcome<posix::Fd> port = open_virtio_port(device_, clock_, until_);
  if (!port) return keep(port.error());
  posix::FdTransport line(*std::move(port), clock_);
  TRY(line.write_all(secret, until_));
  return "virtio port " + name_ + ", where the host reads it";
}

}  // namespace attestbed::guest
