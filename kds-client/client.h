// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "core/platform/clock.h"
#include "kds-client/disk_cache.h"
#include "kds-client/exchange.h"

namespace attestbed::kds {

/// kAmdUrl is where AMD's own KDS is.
inline constexpr char kAmdUrl[] = "https://kdsintf.amd.com";

/// Limits of a Client; the deadline comes with each fetch.
///   attempt        one HTTP exchange
///   backoff        the pause before the second attempt; it doubles up to backoff_most
///   unreachable    attempts at a KDS that is not there; one that throttles or fails is asked until the deadline
///   same_request   how long a request that the KDS refused is not repeated (AMD's: about once in ten seconds)
///   crl_age        how long a CRL from the cache stands for the current one
///   waiting        fetches at once that wait for the KDS: more are refused, so that a slow KDS holds no more callers
struct Limits {
  std::chrono::milliseconds attempt{10'000}, connect{5'000};
  std::chrono::milliseconds backoff{500}, backoff_most{10'000};
  unsigned unreachable = 3;
  std::chrono::seconds same_request{10};
  std::chrono::hours crl_age{24};
  unsigned waiting = 16;
};

/// Options of a Client.
///   url          scheme://host[:port][/path], as http::parse_service_url returns it; may be empty if offline
///   ca_file      roots for https, PEM; empty: the system's
///   cache        directory; empty: nothing is kept
///   offline      only the cache is used
///   wall_clock   dates what is cached
///   warn         told of what does not stop a fetch: a cache that cannot be written
struct Options {
  std::string url;
  std::string ca_file;
  std::string cache;
  bool offline = false;
  Limits limits = {};
  std::function<verify::Time()> wall_clock = [] {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  };
  std::function<void(const Refusal&)> warn = [](const Refusal&) {};
};

/// Fetched is what a KDS answered, in the form that was asked for and no more: only core/verify can say whether it is
/// true.
struct Fetched {
  std::vector<std::uint8_t> octets;
  std::string source;  // URL, or file of the cache
  bool from_cache = false;
};

/// Client gets certificates and CRLs from a KDS or its cache. Safe from any thread; callers who want the same at the
/// same time cost the KDS one request.
class Client {
 public:
  /// Make a http::Library before. Errors: bad_config, io_failed.
  static Checked<std::unique_ptr<Client>> make(Options options, Clock& clock);

  /// fetch returns before `until`, plus what a stopped transfer takes to notice.
  ///   errors  kds_offline naming the file; kds_unknown; kds_busy; kds_failed; kds_unreachable; kds_untrusted;
  ///           kds_timeout; kds_malformed; internal
  Checked<Fetched> fetch(const Request& request, Deadline until);

  bool offline() const { return options_.offline; }
  /// forget drops the cached answer: for callers who found it not to verify.
  void forget(const Request& request);
  /// stop ends what is waiting, now and for ever.
  void stop();

 private:
  struct Flight {
    bool landed = false;
    Checked<Fetched> outcome = Refusal{};
  };
  struct Cooling {
    Instant until;
    Refusal why;
  };
  /// Attempted is the outcome of one exchange, and how long the KDS asks to be left alone.
  struct Attempted {
    Checked<Fetched> outcome;
    std::chrono::milliseconds pause{0};
  };
  class Landing;
  class Waiting;

  Client(Options options, std::optional<DiskCache> cache, Clock& clock)
      : options_(std::move(options)), cache_(std::move(cache)), clock_(clock) {}
  std::optional<Fetched> cached(const Request& request) const;
  Checked<Fetched> fetch_with_others(const Request& request, Deadline until);
  Checked<Fetched> ask_until(const Request& request, Deadline until);
  Attempted ask_once(const Request& request, Deadline until);
  void keep(const Request& request, Bytes octets) const;
  bool pause(Instant until);
  void cool(const Request& request, const Refusal& why, std::chrono::milliseconds pause);
  const Refusal* cooling(const Request& request);

  const Options options_;
  const std::optional<DiskCache> cache_;
  Clock& clock_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;  // guards what follows
  std::condition_variable landed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
  std::map<std::string, Cooling> cooling_;
  unsigned waiting_ = 0;
};

}  // namespace attestbed::kds
