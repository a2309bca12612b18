// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "mock-kbs/config.h"
#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// Serving is a broker that listens: for guests, under its plan of faults, and for its owner if there is an admin API.
class Serving {
 public:
  /// start listens where the configuration says. `broker` outlives it.
  ///   errors  bad_config for TLS files; io_failed for addresses that are not available
  static Checked<std::unique_ptr<Serving>> start(Broker& broker, const Config& config);
  /// The destructor stops.
  ~Serving();

  /// announcement is what the program prints: "ready URL", then "admin URL" if there is one; each ends its line.
  std::string announcement() const;
  std::uint16_t port() const;
  std::uint16_t admin_port() const;
  /// ended_fd and admin_ended_fd become readable if accepting ends although nobody called stop(); -1 for no admin API.
  int ended_fd() const;
  int admin_ended_fd() const;
  void stop();

 private:
  struct Impl;
  explicit Serving(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::kbs
