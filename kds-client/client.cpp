// SPDX-License-Identifier: Apache-2.0
#include "kds-client/client.h"

#include <algorithm>

namespace attestbed::kds {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopLatency{50};
constexpr milliseconds kLongestWait{std::chrono::hours(24)};
constexpr std::size_t kMaxCooling = 1024;

std::string seconds_text(milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

milliseconds left(Deadline until, Instant now) {
  // Compared before it is subtracted: kNever minus anything may overflow.
  if (until <= now) return milliseconds(0);
  if (until == kNever) return kLongestWait;
  return std::min(std::chrono::ceil<milliseconds>(until - now), kLongestWait);
}

/// is_there holds if the KDS answered, and may answer otherwise when it is asked again.
bool is_there(Errc code) {
  return code == Errc::kds_busy || code == Errc::kds_failed;
}

bool is_worth_another(Errc code) {
  return is_there(code) || code == Errc::kds_unreachable || code == Errc::kds_timeout;
}

Refusal status_refusal(const std::string& url, const Answer& answer) {
  const std::string status = "status " + std::to_string(answer.status);
  if (answer.status == 404) return {Errc::kds_unknown, url, "status 200", status};
  const bool busy = answer.status == 429, failed = answer.status >= 500 && answer.status <= 599;
  if (!busy && !failed) return {Errc::kds_malformed, url, "status 200", status};
  const std::string wait =
      answer.retry_after ? ", which asks to wait " + seconds_text(*answer.retry_after) : std::string();
  return {busy ? Errc::kds_busy : Errc::kds_failed, url, "status 200", status + wait};
}

}  // namespace

/// Landing makes sure that a flight ends, however its leader leaves: the others would wait for their whole deadline.
class Client::Landing {
 public:
  Landing(Client& client, const Request& request, std::shared_ptr<Flight> flight)
      : client_(client), request_(request), flight_(std::move(flight)) {}
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;
  ~Landing() {
    const std::lock_guard lock(client_.mutex_);
    flight_->landed = true;
    client_.flights_.erase(request_.target());
    client_.landed_.notify_all();
  }

 private:
  Client& client_;
  const Request& request_;
  std::shared_ptr<Flight> flight_;
};

/// Waiting counts one caller who waits for the KDS; made and ended under the lock or, at the end, taking it.
class Client::Waiting {
 public:
  explicit Waiting(Client& client) : client_(client) {
    const std::lock_guard lock(client_.mutex_);
    admitted_ = client_.waiting_ < client_.options_.limits.waiting;
    if (admitted_) ++client_.waiting_;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    const std::lock_guard lock(client_.mutex_);
    if (admitted_) --client_.waiting_;
  }
  bool admitted() const { return admitted_; }

 private:
  Client& client_;
  bool admitted_;
};

Checked<std::unique_ptr<Client>> Client::make(Options options, Clock& clock) {
  std::optional<DiskCache> cache;
  if (!options.cache.empty()) cache = TRY(DiskCache::open(options.cache));
  if (options.offline && !cache) {
    return Refusal{Errc::bad_config, "KDS cache", "a directory, since the KDS is not to be asked", "none"};
  }
  if (!options.offline && options.url.empty()) return Refusal{Errc::bad_config, "KDS URL", "https://HOST", "none"};
  return std::unique_ptr<Client>(new Client(std::move(options), std::move(cache), clock));
}

Checked<Fetched> Client::fetch(const Request& request, Deadline until) {
  if (std::optional<Fetched> found = cached(request)) return *std::move(found);
  if (options_.offline) {
    return Refusal{Errc::kds_offline, verify::printable(cache_->path_of(request), 300),
                   "the answer to " + (options_.url.empty() ? kAmdUrl : options_.url) + request.target(),
                   "none in the cache, or one that is damaged"};
  }
  return fetch_with_others(request, until);
}

void Client::forget(const Request& request) {
  if (cache_) cache_->forget(request);
}

void Client::stop() {
  stopped_ = true;
  const std::lock_guard lock(mutex_);
  landed_.notify_all();
}

std::optional<Fetched> Client::cached(const Request& request) const {
  if (!cache_) return std::nullopt;
  std::optional<DiskCache::Entry> entry = cache_->read(request);
  if (!entry) return std::nullopt;
  const auto age = options_.wall_clock() - entry->fetched;
  // A date in the future says that somebody set the clock: how old it is cannot be known.
  const bool fresh = age >= age.zero() && age < options_.limits.crl_age;
  if (request.kind() == Request::Kind::crl && !fresh && !options_.offline) return std::nullopt;
  return Fetched{.octets = std::move(entry->octets), .source = cache_->path_of(request), .from_cache = true};
}

// The first to want something leads and asks; who comes meanwhile gets the same outcome. If the leader ran out of its
// own time, the next one who has some leads.
Checked<Fetched> Client::fetch_with_others(const Request& request, Deadline until) {
  const Waiting waiting(*this);
  if (!waiting.admitted()) {
    return Refusal{Errc::kds_busy, request.target(),
                   "at most " + std::to_string(options_.limits.waiting) + " callers that wait for the KDS", "more"};
  }
  for (;;) {
    std::unique_lock lock(mutex_);
    if (const Refusal* why = cooling(request)) return *why;
    const auto [at, leads] = flights_.try_emplace(request.target());
    if (leads) at->second = std::make_shared<Flight>();
    const std::shared_ptr<Flight> flight = at->second;
    if (leads) {
      lock.unlock();
      const Landing landing(*this, request, flight);
      Checked<Fetched> outcome = ask_until(request, until);
      const std::lock_guard again(mutex_);
      flight->outcome = outcome;
      return outcome;
    }
    const bool ended = landed_.wait_for(lock, left(until, clock_.now()), [&] { return flight->landed || stopped_; });
    if (!ended || !flight->landed) {
      return Refusal{Errc::kds_timeout, request.target(), "an answer in time", "none yet, to an earlier request"};
    }
    const bool leader_ran_out = !flight->outcome && flight->outcome.error().code == Errc::kds_timeout;
    if (leader_ran_out && left(until, clock_.now()) > milliseconds(0) && !stopped_) continue;
    return flight->outcome;
  }
}

Checked<Fetched> Client::ask_until(const Request& request, Deadline until) {
  // Between the look into the cache and the lead somebody else may have landed.
  if (std::optional<Fetched> found = cached(request)) return *std::move(found);
  milliseconds backoff = options_.limits.backoff;
  for (unsigned attempts = 1;; ++attempts) {
    Attempted attempted = ask_once(request, until);
    if (attempted.outcome) return std::move(attempted.outcome);
    const Refusal& why = attempted.outcome.error();
    const bool unreachable = !is_there(why.code) && attempts >= options_.limits.unreachable;
    const milliseconds wait = std::max(backoff, attempted.pause);
    const bool again = is_worth_another(why.code) && !unreachable && wait < left(until, clock_.now()) && !stopped_;
    if (!again || !pause(clock_.now() + wait)) {
      cool(request, why, attempted.pause);
      return std::move(attempted.outcome);
    }
    backoff = std::min(2 * backoff, options_.limits.backoff_most);
  }
}

Client::Attempted Client::ask_once(const Request& request, Deadline until) {
  const milliseconds time = left(until, clock_.now());
  const std::string url = options_.url + request.target();
  if (time <= milliseconds(0)) return {Refusal{Errc::kds_timeout, url, "time to ask", "none left"}};
  const Checked<Answer> answer = get({.url = url,
                                      .ca_file = options_.ca_file,
                                      .max_octets = request.max_octets(),
                                      .timeout = std::min(time, options_.limits.attempt),
                                      .connect_timeout = std::min(time, options_.limits.connect)},
                                     stopped_);
  if (!answer) return {answer.error()};
  if (answer->status != 200) {
    return {status_refusal(url, *answer), answer->retry_after.value_or(std::chrono::seconds(0))};
  }
  const Checked<void> as_asked = request.check_answer(answer->body, url);
  if (!as_asked) return {as_asked.error()};
  keep(request, answer->body);
  return {Fetched{.octets = answer->body, .source = url, .from_cache = false}};
}

void Client::keep(const Request& request, Bytes octets) const {
  if (!cache_) return;
  const Checked<void> written = cache_->write(request, octets, options_.wall_clock());
  if (!written) options_.warn(written.error());
}

bool Client::pause(Instant until) {
  // In pieces, so that a stop is noticed.
  for (Instant now = clock_.now(); now < until; now = clock_.now()) {
    if (stopped_) return false;
    clock_.wait_until(std::min(until, now + kStopLatency));
  }
  return !stopped_;
}

void Client::cool(const Request& request, const Refusal& why, milliseconds pause) {
  if (why.code != Errc::kds_unknown && !is_there(why.code)) return;
  const std::lock_guard lock(mutex_);
  const Instant now = clock_.now();
  std::erase_if(cooling_, [now](const auto& entry) { return entry.second.until <= now; });
  if (cooling_.size() >= kMaxCooling) return;
  cooling_.insert_or_assign(request.target(),
                            Cooling{now + std::max<milliseconds>(pause, options_.limits.same_request), why});
}

const Refusal* Client::cooling(const Request& request) {
  const auto at = cooling_.find(request.target());
  return at != cooling_.end() && clock_.now() < at->second.until ? &at->second.why : nullptr;
}

}  // namespace attestbed::kds
