// SPDX-License-Identifier: Apache-2.0
#include "sim/hypervisor.h"

#include <algorithm>
#include <utility>

#include "sim/status.h"

namespace attestbed::sim {

Hypervisor::Hypervisor(snp::GuestRequestPort& firmware, HostConfig config, Clock& clock)
    : firmware_(firmware), config_(std::move(config)), clock_(clock), throttle_(config_.profile, clock) {}

void Hypervisor::begin() {
  fault_ = fault_at(config_.faults, ++calls_);
  reached_firmware_ = false;
}

std::uint32_t Hypervisor::pages_needed() const {
  return static_cast<std::uint32_t>((config_.certificates.size() + snp::kPageBytes - 1) / snp::kPageBytes);
}

Result<snp::GuestRequestExit> Hypervisor::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  begin();
  return carry(request, reply, until);
}

Result<snp::ExtendedExit> Hypervisor::call_extended(const snp::Page& request, MutBytes certs, snp::Page& reply,
                                                    Deadline until) {
  begin();
  const std::vector<std::uint8_t>& table = config_.certificates;
  if (table.size() > certs.size()) return snp::ExtendedExit{{snp::kVmmInvalidLen, 0}, pages_needed()};
  const snp::GuestRequestExit exit = TRY(carry(request, reply, until));
  if (exit.vmm == 0 && exit.firmware == 0) {
    std::ranges::fill(certs, std::uint8_t{0});
    std::ranges::copy(table, certs.begin());
  }
  // A host that lies about the length says how many pages it pretends to need.
  const std::uint32_t pages = fault_is(FaultKind::invalid_len) ? argument(1) : 0;
  return snp::ExtendedExit{exit, pages};
}

Result<snp::GuestRequestExit> Hypervisor::carry(const snp::Page& request, snp::Page& reply, Deadline until) {
  if (fault_is(FaultKind::busy)) return snp::GuestRequestExit{snp::kVmmBusy, 0};
  if (fault_is(FaultKind::invalid_len)) return snp::GuestRequestExit{snp::kVmmInvalidLen, 0};
  if (fault_is(FaultKind::firmware_status)) {
    return snp::GuestRequestExit{0, argument(code_of(FirmwareStatus::invalid_param))};
  }
  const bool admitted = TRY(throttle_.admit(until));
  if (!admitted) return snp::GuestRequestExit{snp::kVmmBusy, 0};

  snp::Page fresh{};
  snp::GuestRequestExit exit = TRY(ask_firmware(request, fresh, until));
  if (exit.vmm != 0 || exit.firmware != 0) return exit;
  const snp::Page previous = std::exchange(last_reply_, fresh);
  reply = fresh;
  if (fault_ == nullptr) return exit;
  if (fault_is(FaultKind::replay)) {
    exit = TRY(ask_firmware(request, fresh, until));
    return exit;
  }
  TRY(interfere(previous, reply, until));
  return exit;
}

Result<snp::GuestRequestExit> Hypervisor::ask_firmware(const snp::Page& request, snp::Page& reply, Deadline until) {
  reached_firmware_ = true;
  return firmware_.call(request, reply, until);
}

Status Hypervisor::interfere(const snp::Page& previous, snp::Page& reply, Deadline until) {
  if (fault_is(FaultKind::silence)) {
    reply.fill(0);
    clock_.wait_until(until);
    return Error{Errc::deadline, "guest request"};
  }
  if (fault_is(FaultKind::delay)) {
    const Instant end = clock_.now() + std::chrono::milliseconds(argument(0));
    clock_.wait_until(std::min<Instant>(end, until));
    if (until < end) return Error{Errc::deadline, "guest request"};
  }
  if (fault_is(FaultKind::wrong_page)) reply = previous;
  if (fault_is(FaultKind::torn)) {
    const auto from = static_cast<std::ptrdiff_t>(argument(0));
    std::copy(previous.begin() + from, previous.end(), reply.begin() + from);
  }
  if (fault_is(FaultKind::flip_bit)) {
    const std::uint32_t bit = argument(0) % (8 * snp::kPageBytes);
    reply[bit / 8] = static_cast<std::uint8_t>(reply[bit / 8] ^ (1U << (bit % 8)));
  }
  return ok();
}

}  // namespace attestbed::sim
