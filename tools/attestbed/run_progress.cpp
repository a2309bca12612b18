// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_progress.h"

#include <unistd.h>

#include <cstdio>

#include "guest/key_progress.h"

namespace attestbed::tools {

GuestsProgress::GuestsProgress(Clock& clock, std::size_t guests)
    : clock_(clock), guests_(guests), begin_(clock.now()), terminal_(::isatty(STDERR_FILENO) == 1) {}

GuestsProgress::~GuestsProgress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void GuestsProgress::show(const std::string& text) {
  std::fprintf(stderr, terminal_ ? "\r\033[Kattestbed run: %s" : "attestbed run: %s\n", text.c_str());
  shown_ = terminal_;
}

void GuestsProgress::tell(const GuestsSoFar& now) {
  for (std::size_t end; (end = now.words.find('\n', heard_)) != std::string_view::npos; heard_ = end + 1) {
    const std::string_view line = now.words.substr(heard_, end - heard_);
    const std::size_t at = line.find(guest::kKeyProgress);
    if (at != std::string_view::npos) show(std::string(line.substr(at)));
  }
  // The only guest's search for a key says more than that it has not ended.
  if (!terminal_ || heard_ != 0 || clock_.now() - begin_ < std::chrono::seconds(1)) return;
  show(std::to_string(now.ended) + " of " + std::to_string(guests_) + " guests have ended");
}

}  // namespace attestbed::tools
