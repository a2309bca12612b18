// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "http-server/listen.h"
#include "sim/kds/catalogue.h"
#include "sim/kds/fault.h"

namespace attestbed::sim {

/// KdsRecord is one request, for a log.
struct KdsRecord {
  std::uint64_t number = 0;  // counted from 1; 0: a connection that was turned away, or no request
  std::string peer = {};
  std::string target = {};  // printable, cut
  int status = 0;
  std::size_t octets = 0;  // of the body
  std::string fault = {};  // empty: none
};

/// KdsServer is AMD's KDS as far as relying parties see it, for the chips of its catalogue, on one listener. Every
/// connection has a thread, a deadline, caps on its head, and serves one request.
class KdsServer {
 public:
  using Observer = std::function<void(const KdsRecord&)>;

  /// start listens and accepts on a thread of its own; `observer` is called from any thread. Errors: io_failed.
  static Outcome<std::unique_ptr<KdsServer>> start(KdsCatalogue catalogue, KdsFaultPlan faults,
                                                   const http::ListenAddress& address, Observer observer);
  ~KdsServer();

  std::uint16_t port() const;
  /// ended_fd becomes readable if accepting ends although nobody called stop().
  int ended_fd() const;
  /// requests is how many were answered or are being answered.
  std::uint64_t requests() const;
  /// stop accepts no more and ends what is under way within two seconds.
  void stop();

 private:
  struct Impl;
  explicit KdsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attestbed::sim
