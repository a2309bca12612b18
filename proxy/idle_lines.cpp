// SPDX-License-Identifier: Apache-2.0
#include "proxy/idle_lines.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

namespace attestbed::proxy {
namespace {

constexpr std::chrono::milliseconds kOneLook{1};  // a deadline of `now` would not even try
constexpr int kMostLooks = 64;                    // for a frame, at one line in one round

// has_octets: there is something to read. A vsock socket cannot be asked how much, but it lets itself be looked at.
bool has_octets(const Line& line) {
  const int fd = line.wire->fd();
  std::uint8_t octet = 0;
  const ssize_t seen = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen >= 0 || errno != ENOTSOCK) return seen > 0;
  int waiting = 0;
  return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void forget_search(Line& line) {
  line.search = {};
  line.search_until = kNever;
}

}  // namespace

std::vector<IdleLines::Left> IdleLines::take_left(std::span<const pollfd> fds) {
  std::vector<Left> left;
  std::vector<Line> lines = std::exchange(lines_, {});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::optional<Became> became = i < fds.size() ? look_at(lines[i], fds[i].revents) : std::nullopt;
    if (became) {
      left.push_back({std::move(lines[i]), *became});
    } else {
      lines_.push_back(std::move(lines[i]));
    }
  }
  return left;
}

std::optional<IdleLines::Became> IdleLines::look_at(Line& line, short events) {
  if (events == 0) {
    if (clock_.now() < line.search_until) return std::nullopt;
    // A guest that has sent a whole length is told; fewer octets are noise as far as anybody can say, and an answer to
    // noise would be taken for that to the next question.
    const bool has_length = line.search.has_length();
    forget_search(line);
    return has_length ? Became::unfinished : Became::dropped;
  }
  if (!has_octets(line)) return Became::ended;  // of what is readable that is the end
  return line.kind == LineKind::serial ? search(line) : Became::asked;
}

std::optional<IdleLines::Became> IdleLines::search(Line& line) {
  for (int looks = 0; looks < kMostLooks && has_octets(line); ++looks) {
    const auto found = line.search.look(*line.wire, clock_.now() + kOneLook);
    if (!found && found.error().code == Errc::deadline) return std::nullopt;
    if (!found) {
      forget_search(line);
      return found.error().code == Errc::line_noise ? Became::noisy : Became::ended;
    }
    line.search_until = clock_.now() + kFrameStartPatience;
    if (!*found) continue;
    line.start = **found;
    forget_search(line);
    return Became::asked;
  }
  return std::nullopt;
}

std::optional<Line> IdleLines::take_least_missed() {
  std::map<const Listener*, std::size_t> idle_at;
  for (const Line& line : lines_) ++idle_at[line.door];
  const auto weight = [&](const Line& line) { return std::pair(idle_at[line.door], line.peer->lines); };
  auto best = lines_.end();
  for (auto at = lines_.begin(); at != lines_.end(); ++at) {
    if (at->lives == Lives::for_ever || has_octets(*at)) continue;
    const bool is_longer_idle =
        best != lines_.end() && weight(*at) == weight(*best) && at->idle_since < best->idle_since;
    if (best == lines_.end() || weight(*at) > weight(*best) || is_longer_idle) best = at;
  }
  if (best == lines_.end()) return std::nullopt;
  Line line = std::move(*best);
  lines_.erase(best);
  return line;
}

std::vector<Line> IdleLines::take_unread() {
  std::vector<Line> unread;
  for (Line& line : std::exchange(lines_, {})) {
    if (has_octets(line)) unread.push_back(std::move(line));
  }
  return unread;
}

Deadline IdleLines::next() const {
  Deadline next = kNever;
  for (const Line& line : lines_) next = std::min(next, line.search_until);
  return next;
}

void IdleLines::watch(std::vector<pollfd>& fds) const {
  for (const Line& line : lines_) fds.push_back({line.wire->fd(), POLLIN | POLLRDHUP, 0});
}

}  // namespace attestbed::proxy
