// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "core/platform/clock.h"
#include "core/posix/fd.h"
#include "guest/secret_sink.h"

namespace attestbed::guest {

/// FifoPlace is a named pipe of mode 0600. The secret waits for its reader in a process of its own, locked in memory,
/// for `patience` at most. That process is forked by check(), before there is a secret or a key in this one: what it
/// gets later comes through a pipe and is the secret alone. Errors: too_large; io_failed with errno.
class FifoPlace final : public SecretPlace {
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

/// KeyPlace is a key of type `user` in the user keyring of root (add_key(2), @u): `keyctl print %user:NAME`. The kernel
/// takes at most 32767 octets. Errors: io_failed with errno in `found`.
class KeyPlace final : public SecretPlace {
 public:
  explicit KeyPlace(std::string description) : description_(std::move(description)) {}
  Status check() override { return ok(); }
  Result<std::string> take(Bytes secret) override;

 private:
  std::string description_;
};

/// PortPlace is a virtio port, where the host reads the secret. Errors: transport, deadline.
class PortPlace final : public SecretPlace {
 public:
  PortPlace(std::string name, Clock& clock, Deadline until) : name_(std::move(name)), clock_(clock), until_(until) {}
  Status check() override;
  Result<std::string> take(Bytes secret) override;

 private:
  std::string name_;
  Clock& clock_;
  Deadline until_;
  std::string device_;
};

}  // namespace attestbed::guest
