// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "sim/device/sev_guest_driver.h"
#include "sim/firmware_fixture.h"
#include "sim/hypervisor.h"
#include "sim/manual_clock.h"

// For tests of the driver: a whole machine under it, and a look at what passes.
namespace attestbed::sim {

/// WatchedPort keeps the pages that pass, and lets a test answer in the host's place.
class WatchedPort final : public snp::ExtendedGuestRequestPort {
 public:
  explicit WatchedPort(snp::ExtendedGuestRequestPort& host) : host_(host) {}
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override {
    requests.push_back(request);
    if (instead) return *instead;
    return host_.call(request, reply, until);
  }
  Result<snp::ExtendedExit> call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                          Deadline until) override {
    requests.push_back(request);
    ++extended;
    if (instead) return snp::ExtendedExit{*instead, 0};
    return host_.call_extended(request, certs, reply, until);
  }
  std::vector<snp::Page> requests;
  int extended = 0;
  std::optional<snp::GuestRequestExit> instead;

 private:
  snp::ExtendedGuestRequestPort& host_;
};

/// DriverUnderTest is the driver over simulated firmware, with a host that does what the test says.
struct DriverUnderTest {
  explicit DriverUnderTest(HostConfig config = {}, unsigned vmpck = 0)
      : firmware(Machine::of(authority()), launched(Machine::of(authority()))),
        host(firmware, std::move(config), clock),
        port(host),
        driver(std::make_unique<SevGuestDriver>(key(vmpck), vmpck, port, clock)) {}

  snp::Vmpck key(unsigned vmpck) const {
    const snp::Page secrets = firmware.guest().secrets_page(firmware.machine());
    return *snp::vmpck_from_secrets_page(secrets, vmpck);
  }

  ManualClock clock;
  Firmware firmware;
  Hypervisor host;
  WatchedPort port;
  std::unique_ptr<SevGuestDriver> driver;
};

}  // namespace attestbed::sim
