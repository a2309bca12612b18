// SPDX-License-Identifier: Apache-2.0
#include "core/log/event_log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <mutex>

#include "core/log/line_writer.h"

namespace attestbed::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr std::chrono::seconds kLastWords{1};  // for the reader, at the end

// EventSink says in the log itself how many events are missing in it, and where.
class EventSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  EventSink(std::string program, int fd) : program_(std::move(program)), writer_(fd) {}

  void finish() {
    writer_.flush(kLastWords);
    const std::lock_guard lock(mutex_);
    if (lost_ == 0 || !writer_.write(line_of_lost())) return;
    lost_ = 0;
    writer_.flush(kLastWords);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // Together or not at all: by itself the shorter line, that others are missing, would take the room that is left.
    std::string lines = lost_ == 0 ? "" : line_of_lost();
    lines += line_of(message);
    const bool written = writer_.write(lines);
    lost_ = written ? 0 : lost_ + 1;
  }
  void flush_() override {}

  std::string line_of_lost() {
    const std::string text = R"("event":"events_lost","events":)" + std::to_string(lost_);
    return line_of({program_, spdlog::level::warn, text});
  }
  std::string line_of(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    return {line.data(), line.size()};
  }

  const std::string program_;
  LineWriter writer_;
  std::uint64_t lost_ = 0;
};

// Never destroyed: threads may have something to say until the process has ended.
std::shared_ptr<EventSink>& started() {
  static auto* const sink = new std::shared_ptr<EventSink>();
  return *sink;
}

}  // namespace

void start(std::string_view program, Level lowest, int fd) {
  const bool is_first = !started();
  started() = std::make_shared<EventSink>(std::string(program), fd);
  if (is_first) std::atexit(finish);
  auto logger = std::make_shared<spdlog::logger>(std::string(program), started());
  logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","program":"%n",%v})",
                      spdlog::pattern_time_type::utc);
  logger->set_level(spdlog_level(lowest));
  spdlog::set_default_logger(std::move(logger));
}

void finish() {
  if (started()) started()->finish();
}

bool level_named(std::string_view name, Level& level) {
  if (name == "debug")
    level = Level::debug;
  else if (name == "info")
    level = Level::info;
  else if (name == "warning")
    level = Level::warning;
  else if (name == "error")
    level = Level::error;
  else
    return false;
  return true;
}

void event(Level level, std::string_view name, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json line = {{"event", std::string(name)}};
  line.update(fields);
  // A peer's text may hold anything: non-UTF-8 is replaced, everything else escaped to ASCII, so a line stays a line.
  const std::string text = line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  spdlog::log(spdlog_level(level), "{}", std::string_view(text).substr(1, text.size() - 2));
}

}  // namespace attestbed::log
