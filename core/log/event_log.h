// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace attestbed::log {

/// Level of an event; `--log-level` of every program takes these names.
enum class Level { debug, info, warning, error };

/// start names the program and directs its events to standard error, one JSON object a line:
/// {"time":"2026-01-02T03:04:05.678Z","level":"info","program":"attest-proxy","event":"…", …}. Call once, in main.
/// Nobody who logs waits for who reads: up to 1 MiB waits in memory, and what does not fit is left out and counted in
/// an event `events_lost` with their number `events`. At its end the program gives the reader a second or two.
///   fd  for tests: another descriptor than that of standard error
void start(std::string_view program, Level lowest, int fd = 2);
/// finish writes what waits, for 2 s at most; the end of the program calls it.
void finish();
bool level_named(std::string_view name, Level& level);

/// event writes one line. `fields` is a JSON object whose members follow `event`; secrets never go in, and cookies,
/// tokens and Authorization values only as the first 16 hex digits of their SHA-256. Safe from any thread.
void event(Level level, std::string_view name, const nlohmann::ordered_json& fields = nlohmann::ordered_json::object());

}  // namespace attestbed::log
