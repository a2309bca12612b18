// SPDX-License-Identifier: Apache-2.0
#include "core/log/event_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace

void start(std::string_view program, Level lowest) {
  auto logger = spdlog::stderr_logger_mt(std::string(program));
  logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","program":"%n",%v})",
                      spdlog::pattern_time_type::utc);
  logger->set_level(spdlog_level(lowest));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
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
