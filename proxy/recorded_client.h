// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a session with a broker, a recorded guest's evidence to give it, and what came to the broker.

#include <algorithm>
#include <functional>

#include "core/posix/clock.h"
#include "proxy/http_broker.h"
#include "proxy/kbs_client.h"

namespace attestbed::proxy {

inline constexpr const char* kAuth = "POST /kbs/v0/auth";
inline constexpr const char* kAttest = "POST /kbs/v0/attest";
inline constexpr const char* kResource = "GET /kbs/v0/resource/default/sample/test";

/// header is the value of a request's first header of this name; null if there is none.
inline const std::string* header(const HttpBroker::Request& request, const std::string& name) {
  const auto at = std::ranges::find_if(request.headers, [&](const auto& one) {
    return std::ranges::equal(one.first, name, [](char a, char b) { return tolower(a) == tolower(b); });
  });
  return at == request.headers.end() ? nullptr : &at->second;
}

/// RecordedClient is the KBS client at `url`, in the place of the recorded guest `recorded`.
class RecordedClient {
 public:
  RecordedClient(const VectorCase& recorded, const std::string& url, const std::string& ca = {})
      : RecordedClient(recorded, BrokerConfig{.url = url, .ca_file = ca}) {}
  RecordedClient(const VectorCase& recorded, const BrokerConfig& config)
      : memory_(recorded.attestation_request.begin(), recorded.attestation_request.end()),
        request_(protocol::decode_attestation_request(memory_, protocol::KeyType::p521)),
        backend_(make_kbs_backend(config, clock_)),
        session_((*backend_)->open(cancelled)) {}

  auto auth(std::chrono::milliseconds time = kLong) { return session_->auth(protocol::Tee::snp, in(time)); }
  auto attest(protocol::Binding binding = protocol::Binding::svsm_sha512, std::chrono::milliseconds time = kLong) {
    return session_->attest(*request_, binding, in(time));
  }
  auto resource(std::chrono::milliseconds time = kLong) {
    return session_->resource(protocol::ResourcePath(), in(time));
  }
  /// guest_brings gives the recorded guest a certificate table.
  void guest_brings(std::vector<std::uint8_t> certs) {
    certs_ = std::move(certs);
    request_->certs = certs_;
  }
  BrokerSession& session() { return *session_; }
  /// advance lets that much time pass for the client, at once.
  void advance(std::chrono::nanoseconds time) { clock_.ahead += time; }

  /// on_wait is what happens while the client waits; its waits take no time.
  void on_wait(std::function<void()> what) { clock_.on_wait = std::move(what); }

  std::atomic<bool> cancelled = false;

 private:
  static constexpr std::chrono::milliseconds kLong{60000};
  struct AheadClock final : Clock {
    Instant now() override { return steady.now() + ahead; }
    void wait_until(Instant until) override {
      on_wait();
      ahead += std::max(until - now(), std::chrono::nanoseconds(0));
    }
    posix::SteadyClock steady;
    std::function<void()> on_wait = [] {};
    std::chrono::nanoseconds ahead{};
  };
  Deadline in(std::chrono::milliseconds time) { return clock_.now() + time; }

  AheadClock clock_;
  std::vector<std::uint8_t> memory_, certs_;
  Result<protocol::AttestationRequest> request_;
  Outcome<std::unique_ptr<Backend>> backend_;
  std::unique_ptr<BrokerSession> session_;
};

}  // namespace attestbed::proxy
