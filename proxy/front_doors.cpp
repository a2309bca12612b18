// SPDX-License-Identifier: Apache-2.0
#include "proxy/front_doors.h"

#include <algorithm>

#include "core/log/event_log.h"
#include "proxy/failure.h"

namespace attestbed::proxy {

void FrontDoors::accept(std::span<const pollfd> fds, const Enter& enter) {
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    const bool is_due = !is_pause() && clock_.now() >= doors_[i]->due();
    if (is_due || (i < fds.size() && fds[i].revents != 0)) accept_at(*doors_[i], enter);
  }
}

void FrontDoors::accept_at(Listener& door, const Enter& enter) {
  for (int taken = 0; taken < kMostAccepts && !is_pause(); ++taken) {
    Result<std::optional<NewLine>> accepted = door.accept();
    if (!accepted) {
      log::event(log::Level::error, "accept_failed", {{"door", door.name()}, {"detail", brief(accepted.error())}});
      pause_until_ = clock_.now() + kPause;
      return;
    }
    if (!*accepted) return;
    enter(std::move(**accepted), door);
  }
}

Deadline FrontDoors::next() const {
  if (is_pause()) return pause_until_;
  Deadline next = kNever;
  for (const auto& door : doors_) next = std::min(next, door->due());
  return next;
}

void FrontDoors::watch(std::vector<pollfd>& fds) const {
  for (const auto& door : doors_) fds.push_back({is_pause() ? -1 : door->fd(), POLLIN, 0});
}

}  // namespace attestbed::proxy
