// SPDX-License-Identifier: Apache-2.0
#include "tools/launch/child.h"

#include <algorithm>
#include <cstring>

namespace attestbed::launch {

std::string Exit::text() const {
  if (!by_signal) return "exit " + std::to_string(number);
  const char* name = ::sigdescr_np(number);
  return "signal " + std::to_string(number) + " (" + (name != nullptr ? name : "unknown") + ")";
}

void Captured::append(std::string_view octets) {
  const std::size_t kept = std::min(octets.size(), kMaxBytes - text_.size());
  text_.append(octets.substr(0, kept));
  dropped_ += octets.size() - kept;
}

std::optional<std::string> Captured::line_starting(std::string_view prefix) const {
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text_.find('\n', start);
    if (end == std::string::npos) return std::nullopt;
    const std::string_view line = std::string_view(text_).substr(start, end - start);
    if (line.starts_with(prefix)) return std::string(line);
    start = end + 1;
  }
}

std::string Captured::last_lines(std::size_t count) const {
  std::string_view text = text_;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t start = text.size();
  for (std::size_t lines = 0; start > 0; --start) {
    if (text[start - 1] == '\n' && ++lines == count) break;
  }
  return std::string(text.substr(start));
}

std::string Child::last_lines(std::size_t count) const {
  return err_.text().empty() ? out_.last_lines(count) : err_.last_lines(count);
}

}  // namespace attestbed::launch
