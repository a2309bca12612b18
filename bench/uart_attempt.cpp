// SPDX-License-Identifier: Apache-2.0
#include "bench/uart_attempt.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "bench/inputs.h"
#include "core/base/wire.h"
#include "core/snp/guest_channel.h"
#include "guest/uart_transport.h"
#include "sim/firmware.h"
#include "sim/seeded_entropy.h"

namespace attestbed::bench {
namespace {

/// The recorded guest's key, for which the recorded answer opens.
class RecordedKey final : public Entropy {
 public:
  Status fill(MutBytes into) override {
    const Octets& scalar = aproxy_case().scalar;
    if (into.size() != scalar.size()) return Error{Errc::bad_length, "RecordedKey", into.size(), scalar.size()};
    std::ranges::copy(scalar, into.begin());
    return ok();
  }
};

/// RecordedHost reads frames at the far end and answers each with the next of the vector's.
class RecordedHost {
 public:
  explicit RecordedHost(sim::UartLine::FarEnd& line, sim::ManualClock& clock) : line_(line), clock_(clock) {}

  /// step does what can be done now, without waiting.
  void step() {
    ByteArray<512> piece;
    // A far end that has nothing moves the clock to the deadline: the least there is.
    while (const auto got = line_.read_some(piece, clock_.now() + std::chrono::nanoseconds(1))) {
      received_.insert(received_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*got));
    }
    le64 length;
    if (received_.size() < sizeof length) return;
    std::memcpy(&length, received_.data(), sizeof length);
    if (received_.size() - sizeof length < length) return;
    received_.clear();
    const AproxyCase& recorded = aproxy_case();
    const Octets& answer = answered_++ == 0 ? recorded.negotiation_response : recorded.attestation_response;
    (void)line_.write_all(answer, clock_.now() + std::chrono::seconds(1));
  }

 private:
  sim::UartLine::FarEnd& line_;
  sim::ManualClock& clock_;
  std::vector<std::uint8_t> received_;
  int answered_ = 0;
};

/// While the guest waits, the host works.
class SharedClock final : public Clock {
 public:
  SharedClock(sim::ManualClock& clock, RecordedHost& host) : clock_(clock), host_(host) {}
  Instant now() override { return clock_.now(); }
  void wait_until(Instant until) override {
    host_.step();
    clock_.wait_until(until);
  }

 private:
  sim::ManualClock& clock_;
  RecordedHost& host_;
};

}  // namespace

struct UartAttempt::Parts {
  Parts(sim::UartFaultPlan plan, std::chrono::nanoseconds time)
      : budget(time), line(clock, std::move(plan), {.capacity = 1 << 16}) {}

  const std::chrono::nanoseconds budget;
  sim::ManualClock clock;
  const Instant began = clock.now();
  sim::UartLine line;
  RecordedHost host{line.far(), clock};
  SharedClock shared{clock, host};
  RecordedKey entropy;
  Workspace workspace;
  snp::ChannelPages pages;
};

UartAttempt::UartAttempt(sim::UartFaultPlan faults, std::chrono::nanoseconds budget)
    : parts_(std::make_unique<Parts>(std::move(faults), budget)) {}
UartAttempt::~UartAttempt() = default;

Result<Released> UartAttempt::run() {
  static const auto authority = std::make_shared<const sim::CertificateAuthority>(
      *sim::CertificateAuthority::of_default_seed(snp::Product::milan));
  const auto machine = sim::Machine::of(authority);
  sim::SeededEntropy launch_entropy(1, "uart");
  auto launch = TRY(sim::Launch::start(machine, sim::kDefaultPolicy, launch_entropy));
  sim::Firmware firmware(machine, std::move(launch).finish({}));
  snp::Vmpck key = TRY(snp::vmpck_from_secrets_page(firmware.guest().secrets_page(machine), 0));
  snp::GuestChannel reports(std::move(key), firmware, parts_->shared, parts_->pages, {});

  guest::DevicePorts<sim::UartLine> ports(parts_->line, guest::kCom3);
  guest::UartTransport uart = TRY(guest::UartTransport::open(ports, guest::kCom3, parts_->shared));
  const Platform platform{.wire = uart, .reports = reports, .entropy = parts_->entropy, .clock = parts_->shared};
  AttestConfig config;
  config.budget = parts_->budget;
  config.line = LineKind::serial;
  config.secret_auth = SecretAuth::none;
  return attest(platform, config, parts_->workspace);
}

sim::UartCounts UartAttempt::counts() const {
  return parts_->line.counts();
}
std::chrono::nanoseconds UartAttempt::waited() const {
  return parts_->clock.now() - parts_->began;
}

}  // namespace attestbed::bench
