// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "core/platform/clock.h"
#include "guest/secret_sink.h"

namespace attestbed::guest {

/// FifoPlace is a named pipe of mode 0600. The secret waits in a process of its own, locked in memory, until somebody
/// opens the pipe for reading or `patience` is over; then it writes, wipes and ends. Errors: io_failed with errno.
class FifoPlace final : public SecretPlace {
 public:
  FifoPlace(std::string path, std::chrono::seconds patience) : path_(std::move(path)), patience_(patience) {}
  Status check() override;
  Result<std::string> take(Bytes secret) override;

 private:
  std::string path_;
  std::chrono::seconds patience_;
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
