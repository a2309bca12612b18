// SPDX-License-Identifier: Apache-2.0
#include "sim/hypervisor.h"

#include <utility>

#include "sim/status.h"

namespace attestbed::sim {

Hypervisor::Hypervisor(snp::GuestRequestPort& firmware, FaultPlan plan, Clock& clock)
    : firmware_(firmware), plan_(std::move(plan)), clock_(clock) {}

Result<snp::GuestRequestExit> Hypervisor::call(const snp::Page& request, snp::Page& reply, Deadline until) {
  const Fault* fault = fault_ = fault_at(plan_, ++calls_);
  reached_firmware_ = false;
  if (fault != nullptr && fault->kind == FaultKind::busy) return snp::GuestRequestExit{snp::kVmmBusy, 0};
  if (fault != nullptr && fault->kind == FaultKind::firmware_status) {
    return snp::GuestRequestExit{0, fault->argument.value_or(code_of(FirmwareStatus::invalid_param))};
  }

  snp::Page fresh{};
  reached_firmware_ = true;
  const snp::GuestRequestExit exit = TRY(firmware_.call(request, fresh, until));
  if (exit.vmm != 0 || exit.firmware != 0) return exit;
  const snp::Page previous = std::exchange(last_reply_, fresh);
  reply = fresh;
  if (fault == nullptr) return exit;
  if (fault->kind == FaultKind::silence) {
    reply.fill(0);
    clock_.wait_until(until);
    return Error{Errc::deadline, "guest request"};
  }
  if (fault->kind == FaultKind::wrong_page) reply = previous;
  if (fault->kind == FaultKind::flip_bit) {
    const std::uint32_t bit = fault->argument.value_or(0) % (8 * snp::kPageBytes);
    reply[bit / 8] = static_cast<std::uint8_t>(reply[bit / 8] ^ (1U << (bit % 8)));
  }
  return exit;
}

}  // namespace attestbed::sim
