// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"

#include <tuple>

namespace attestbed::sim {
namespace {

bool not_above(const snp::Tcb& a, const snp::Tcb& b) {
  return a.fmc <= b.fmc && a.boot_loader <= b.boot_loader && a.tee <= b.tee && a.snp <= b.snp &&
         a.microcode <= b.microcode;
}

bool not_above(const snp::FirmwareVersion& a, const snp::FirmwareVersion& b) {
  return std::tie(a.major, a.minor, a.build) <= std::tie(b.major, b.minor, b.build);
}

}  // namespace

Machine Machine::of(std::shared_ptr<const CertificateAuthority> authority) {
  const ProductProfile& profile = authority->profile();
  const snp::Tcb tcb = authority->tcb();
  Machine machine;
  machine.authority = std::move(authority);
  machine.committed_tcb = machine.current_tcb = tcb;
  machine.committed_version = machine.current_version = profile.firmware;
  machine.platform_info = profile.platform_info;
  return machine;
}

Status Machine::check() const {
  if (report_version != 2 && report_version != 3 && report_version != 5) {
    return Error{Errc::bad_config, "report version (2, 3 or 5)", report_version, 0};
  }
  if (!not_above(authority->tcb(), committed_tcb)) return Error{Errc::tcb_order, "REPORTED_TCB above COMMITTED_TCB"};
  if (!not_above(committed_tcb, current_tcb)) return Error{Errc::tcb_order, "COMMITTED_TCB above CURRENT_TCB"};
  if (!not_above(committed_version, current_version)) {
    return Error{Errc::bad_config, "COMMITTED version above CURRENT version"};
  }
  return ok();
}

}  // namespace attestbed::sim
