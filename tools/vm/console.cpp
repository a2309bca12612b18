// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/console.h"

#include <algorithm>

namespace attestbed::vm {
namespace {

constexpr std::string_view kName = "attest-guest: ", kResult = "result ", kPanic = "Kernel panic - not syncing";

const ConsoleLine* first_with(const std::vector<ConsoleLine>& lines, std::string_view prefix) {
  const auto found =
      std::ranges::find_if(lines, [&](const ConsoleLine& line) { return line.text.starts_with(prefix); });
  return found == lines.end() ? nullptr : &*found;
}

}  // namespace

void Console::read(std::string_view all, Instant now, const std::function<void(const ConsoleLine&)>& tell) {
  for (std::size_t end; (end = all.find('\n', seen_)) != std::string_view::npos; seen_ = end + 1) {
    std::string_view line = all.substr(seen_, end - seen_);
    while (line.ends_with('\r')) line.remove_suffix(1);
    // The kernel may have begun a line of its own before: PID 1 writes each of its lines at once, but not alone.
    const std::size_t name = line.find(kName);
    if (name == std::string_view::npos || lines_.size() == kMaxLines) continue;
    lines_.push_back({std::string(line.substr(name + kName.size())), now});
    std::ranges::replace_if(
        lines_.back().text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    if (tell) tell(lines_.back());
  }
}

std::string Console::result() const {
  const ConsoleLine* const line = first_with(lines_, kResult);
  return line == nullptr ? std::string() : line->text.substr(kResult.size());
}

std::string Console::words() const {
  const ConsoleLine* const line = first_with(lines_, kResult);
  return line == nullptr || line == &lines_.back() ? std::string() : "attest-guest: " + (line + 1)->text;
}

std::optional<Instant> Console::arrival(std::string_view prefix) const {
  const ConsoleLine* const line = first_with(lines_, prefix);
  return line == nullptr ? std::nullopt : std::optional(line->at);
}

std::string panic_in(std::string_view console) {
  const std::size_t at = console.find(kPanic);
  if (at == std::string_view::npos) return {};
  std::string_view line = console.substr(at, console.find('\n', at) - at);
  while (line.ends_with('\r')) line.remove_suffix(1);
  return std::string(line);
}

}  // namespace attestbed::vm
