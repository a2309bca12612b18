// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the events of core/log, kept in memory instead of going to standard error.

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>

namespace attestbed::proxy {

/// LogCapture holds every event from its construction to its end. Safe from any thread.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("capture", lines_);
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() const { return lines_->text(); }
  bool has(const std::string& piece) const { return count(piece) > 0; }
  int count(const std::string& piece) const {
    const std::string all = text();
    int found = 0;
    for (std::size_t at = all.find(piece); at != all.npos; at = all.find(piece, at + piece.size())) ++found;
    return found;
  }

 private:
  /// Lines may be read while somebody still writes: a session ends after its last word to the guest.
  class Lines final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::string text() {
      const std::lock_guard lock(mutex_);
      return text_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      text_.append(line.data(), line.size());
    }
    void flush_() override {}
    std::string text_;
  };
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace attestbed::proxy
