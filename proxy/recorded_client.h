// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a session with a broker, and a recorded guest's evidence to give it.

#include "core/posix/clock.h"
#include "proxy/http_broker.h"
#include "proxy/kbs_client.h"

namespace attestbed::proxy {

/// RecordedClient is the KBS client at `url`, in the place of the recorded guest `recorded`.
class RecordedClient {
 public:
  RecordedClient(const VectorCase& recorded, const std::string& url, const std::string& ca = {})
      : memory_(recorded.attestation_request.begin(), recorded.attestation_request.end()),
        request_(protocol::decode_attestation_request(memory_, protocol::KeyType::p521)),
        backend_(make_kbs_backend({.url = url, .ca_file = ca}, clock_)),
        session_((*backend_)->open(cancelled)) {}

  auto auth(std::chrono::milliseconds time = kLong) { return session_->auth(protocol::Tee::snp, in(time)); }
  auto attest(std::chrono::milliseconds time = kLong) {
    return session_->attest(*request_, protocol::Binding::svsm_sha512, in(time));
  }
  auto resource(std::chrono::milliseconds time = kLong) {
    return session_->resource(protocol::ResourcePath(), in(time));
  }
  BrokerSession& session() { return *session_; }
  /// advance lets that much time pass for the client, at once.
  void advance(std::chrono::nanoseconds time) { clock_.ahead += time; }

  std::atomic<bool> cancelled = false;

 private:
  static constexpr std::chrono::milliseconds kLong{60000};
  struct AheadClock final : Clock {
    Instant now() override { return steady.now() + ahead; }
    void wait_until(Instant until) override { steady.wait_until(until - ahead); }
    posix::SteadyClock steady;
    std::chrono::nanoseconds ahead{};
  };
  Deadline in(std::chrono::milliseconds time) { return clock_.now() + time; }

  AheadClock clock_;
  std::vector<std::uint8_t> memory_;
  Result<protocol::AttestationRequest> request_;
  Result<std::unique_ptr<Backend>> backend_;
  std::unique_ptr<BrokerSession> session_;
};

}  // namespace attestbed::proxy
