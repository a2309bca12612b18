// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/platform/clock.h"
#include "core/posix/fd.h"
#include "guest/init/failure.h"
#include "guest/init/virtio_port.h"
#include "guest/secret_sink.h"

namespace attestbed::guest {

/// The kernel's limit for a key of type user (user_preparse of security/keys/user_defined.c).
inline constexpr std::size_t kMaxKeyBytes = 32767;

/// InitPlace is a place of PID 1. It remembers what its Error has no room for: the name of the file or port, and what
/// to do.
class InitPlace : public SecretPlace {
 public:
  const std::optional<Failure>& failure() const { return failure_; }

 protected:
  ~InitPlace() = default;
  Error keep(Failure failure) {
    failure_ = std::move(failure);
    return failure_->error;
  }

 private:
  std::optional<Failure> failure_;
};

/// FifoPlace is a named pipe of mode 0600. The secret waits for its reader in a process of its own, locked in memory,
/// for `patience` at most. That process is forked by check(), before there is a secret or a key in this one: what it
/// gets later comes through a pipe and is the secret alone. Errors: too_large; io_failed with errno.
class FifoPlace final : public InitPlace {
 public:
  FifoPlace(std::string path, std::chrono::seconds patience) : path_(std::move(path)), patience_(patience) {}
  FifoPlace(const FifoPlace&) = delete;
  FifoPlace& operator=(const FifoPlace&) = delete;
  /// Without a secret, FIFO and process go away with the place.
  ~FifoPlace();
  Status check() override;
  Result<std::string> take(Bytes secret) override;
  /// writer is the process, once check() went well.
  pid_t writer() const { return writer_; }

 private:
  Status start_writer(posix::Fd folder, const std::string& name);

  std::string path_;
  std::chrono::seconds patience_;
  posix::Fd pipe_;
  pid_t writer_ = -1;
  bool handed_on_ = false;
};

/// KeyPlace is a key of type `user` in the user keyring of root (add_key(2), @u): `keyctl print %user:NAME`.
/// Errors: too_large above kMaxKeyBytes; io_failed with errno in `found`.
class KeyPlace final : public InitPlace {
 public:
  explicit KeyPlace(std::string description) : description_(std::move(description)) {}
  /// check adds a key of another name and takes it away again.
  Status check() override;
  Result<std::string> take(Bytes secret) override;

 private:
  Error refused(const char* call);

  std::string description_;
};

/// PortPlace is a virtio port, where the host reads the secret. Errors: transport, deadline.
class PortPlace final : public InitPlace {
 public:
  PortPlace(std::string name, Clock& clock, Deadline until, std::string folder = kVirtioPortsFolder)
      : name_(std::move(name)), clock_(clock), until_(until), folder_(std::move(folder)) {}
  /// check waits two seconds at most for the port to show.
  Status check() override;
  Result<std::string> take(Bytes secret) override;

 private:
  std::string name_;
  Clock& clock_;
  Deadline until_;
  std::string folder_, device_;
};

}  // namespace attestbed::guest
