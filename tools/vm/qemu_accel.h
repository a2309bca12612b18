// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/launch/children.h"
#include "tools/vm/qemu_command.h"

namespace attestbed::vm {

/// probe_guest is a kernel of a few hundred octets, started by QEMU through its PVH entry (an ELF note of the Xen ABI):
/// it computes with SSE registers and tells isa-debug-exit kProbeStatus. A /dev/kvm that opens proves nothing, since
/// what stands behind it may emulate instructions one by one, and not all of them; what runs this, runs Linux.
std::vector<std::uint8_t> probe_guest();
inline constexpr int kProbeStatus = 0x2a;

/// kProbePatience bounds a probe. QEMU does not end when KVM cannot go on: it stands still.
inline constexpr std::chrono::seconds kProbePatience{5};

/// AcceleratorChoice is an accelerator, and why that one, for people.
struct AcceleratorChoice {
  Accelerator accelerator = Accelerator::tcg;
  std::string reason;
};

/// probe_kvm starts probe_guest under KVM. `folder` is a directory for its file; the file stays. Returns at the latest
/// after kProbePatience. Fails only if QEMU cannot be started, the file not be written, or `children` was told to stop.
launch::Outcome<AcceleratorChoice> probe_kvm(const std::string& qemu, const std::string& folder,
                                             launch::Children& children, Clock& clock);

}  // namespace attestbed::vm
