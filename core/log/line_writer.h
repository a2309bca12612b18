// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace attestbed::log {

/// LineWriter writes lines to a descriptor whose reader may be slow, or may never read, and keeps none of its callers:
/// what the reader has no room for waits in memory, up to kMaxWaiting octets, and a thread of its own writes it when
/// there is room. A reader that is gone is a reader that has room.
class LineWriter {
 public:
  static constexpr std::size_t kMaxWaiting = std::size_t{1} << 20;

  /// `fd` stays the caller's and open for as long as this lives.
  explicit LineWriter(int fd);
  /// Gives up what still waits.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// write takes the line (with its line feed) whole, in the order of the calls, or returns false if there is no memory
  /// for it. It never waits for the reader. Safe from any thread.
  bool write(std::string_view line);
  /// flush waits until the reader has all of it, `patience` at most; false if something still waits.
  bool flush(std::chrono::milliseconds patience);

 private:
  std::size_t offer(std::string_view octets) const;
  void offer_waiting();
  void serve();

  int fd_;
  int own_fd_ = -1;  // the same pipe or terminal without blocking, if the system gives it
  bool is_socket_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::size_t written_ = 0;  // of `waiting_`
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace attestbed::log
