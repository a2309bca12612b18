// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "core/posix/fd.h"

namespace attestbed::programs {

/// TappedWire is a port of this machine behind which another one is: what is sent to one comes out at the other, an end
/// stays an end and a reset a reset. It keeps every octet of the answers, so that a test knows what must be in no log.
class TappedWire {
 public:
  /// Throws if there is no socket or thread to be had.
  explicit TappedWire(std::uint16_t server_port);
  ~TappedWire();
  TappedWire(const TappedWire&) = delete;
  TappedWire& operator=(const TappedWire&) = delete;

  std::uint16_t port() const { return port_; }
  std::string answers() const;

 private:
  void run();
  bool forward(int from, int to, bool is_answer);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  posix::Fd listener_, stop_;
  mutable std::mutex mutex_;
  std::string answers_;
  std::thread thread_;
};

}  // namespace attestbed::programs
