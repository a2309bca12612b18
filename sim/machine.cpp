// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"

namespace attestbed::sim {
namespace {

bool not_above(const snp::Tcb& a, const snp::Tcb& b) {
  return a.fmc <= b.fmc && a.boot_loader <= b.boot_loader && a.tee <= b.tee && a.snp <= b.snp &&
         a.microcode <= b.microcode;
}

}  // namespace

Machine Machine::of(std::shared_ptr<const CertificateAuthority> authority) {
  const ProductProfile& profile = authority->profile();
  const snp::Tcb tcb = authority->tcb();
  return {std::move(authority), tcb, tcb, profile.firmware, profile.firmware, profile.platform_info};
}

Status Machine::check() const {
  if (!not_above(authority->tcb(), committed_tcb)) return Error{Errc::tcb_order, "REPORTED_TCB above COMMITTED_TCB"};
  if (!not_above(committed_tcb, current_tcb)) return Error{Errc::tcb_order, "COMMITTED_TCB above CURRENT_TCB"};
  return ok();
}

}  // namespace attestbed::sim
