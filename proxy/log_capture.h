// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: the events of core/log, kept in memory instead of going to standard error.

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace attestbed::proxy {

/// LogCapture holds every event from its construction to its end. `text` is for when no thread logs any more.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_);
    auto logger = std::make_shared<spdlog::logger>("capture", std::move(sink));
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() const { return lines_.str(); }
  bool has(const std::string& piece) const { return count(piece) > 0; }
  int count(const std::string& piece) const {
    const std::string all = text();
    int found = 0;
    for (std::size_t at = all.find(piece); at != all.npos; at = all.find(piece, at + piece.size())) ++found;
    return found;
  }

 private:
  std::ostringstream lines_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace attestbed::proxy
