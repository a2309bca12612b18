// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/attestbed/run_lines.h"
#include "tools/attestbed/run_report.h"
#include "tools/attestbed/run_testbed.h"
#include "tools/attestbed/vm_facts.h"
#include "tools/attestbed/vm_image.h"
#include "tools/vm/console.h"
#include "tools/vm/qemu_command.h"

namespace attestbed::tools {

enum class AccelChoice { automatic, tcg, kvm };

/// VmPlan is what a VM is made of beside the scenario.
///   qemu         program; empty: the first of the usual places
///   kernel       see make_image
///   image        directory of an image that is there already; empty: one is built
///   added        see make_image
///   append       further words for the kernel's command line, after ours
///   measurement  launch digest that the broker is told, in hexadecimal; empty: that of what is booted
///   boot_seconds how long a guest may take beside its attempt: to boot without hardware virtualisation on a busy
///                machine, and to bear a firmware that is busy, which the driver of /dev/sev-guest does for a minute
///                before it tells
struct VmPlan {
  std::string qemu, kernel, image;
  std::vector<std::string> added;
  std::string append, measurement;
  AccelChoice accel = AccelChoice::automatic;
  unsigned memory_mib = 256, boot_seconds = 180;
};

/// VmTestbed is firmware, broker and proxy as `attestbed run` starts them, and one guest in a QEMU, which reaches the
/// proxy over the line of the scenario and the firmware over a virtio port. Its destructor ends every process.
class VmTestbed {
 public:
  VmTestbed(Scenario scenario, VmPlan plan, ShowSecret show, launch::ScratchDir scratch, Clock& clock, int stop_fd);

  /// prepare finds QEMU, chooses the accelerator, and makes or takes the image; argv() is complete after it.
  launch::Outcome<void> prepare();
  /// start brings up snp-sim, which launches what is booted, then mock-kbs, which knows its launch digest, and the
  /// proxy.
  launch::Outcome<void> start();
  /// run_guest boots the guest and waits for its end. `tell` hears each line of attest-guest's on the console, and
  /// `tick` is called each second. Fails if QEMU ends, or the guest's kernel gives up, without the guest having said
  /// how it ended, or with a result that is none.
  launch::Outcome<GuestOutput> run_guest(const std::function<void(const vm::ConsoleLine&)>& tell,
                                         const std::function<void()>& tick);
  void stop();

  const std::vector<std::string>& argv() const { return argv_; }
  const VmFacts& facts() const { return facts_; }
  const std::vector<Part>& parts() const { return parts_.ready(); }
  const std::string& measurement() const { return measurement_; }
  std::vector<std::string> early_ends() const { return parts_.early_ends(); }
  std::chrono::nanoseconds guest_took() const { return guest_took_; }
  Logs logs() const;
  /// keep_in copies logs, certificates, the console, the image and the firmware that was measured into the new or empty
  /// directory `folder`. Never a secret.
  launch::Outcome<void> keep_in(const std::string& folder) const;

 private:
  launch::Outcome<void> choose_accelerator(const std::string& qemu);
  launch::Outcome<void> write_firmware() const;
  std::string command_line(bool as_registered) const;
  launch::Outcome<std::string> registered_measurement() const;
  vm::QemuGuest qemu_guest() const;
  void note_times(const nlohmann::ordered_json& result, Instant started);
  launch::Failure no_verdict(const launch::Child& qemu, const std::string& why) const;

  Scenario scenario_;
  const VmPlan plan_;
  const ShowSecret show_;
  const std::chrono::seconds patience_;  // from the start of QEMU to the end of the guest
  Clock& clock_;
  Parts parts_;
  Lines lines_;
  BootFiles boot_;
  vm::Accelerator accelerator_ = vm::Accelerator::tcg;
  vm::Reconnect reconnect_ = vm::Reconnect::seconds;
  std::string qemu_, measurement_;
  std::vector<std::string> argv_;
  vm::Console console_;
  VmFacts facts_;
  std::chrono::nanoseconds guest_took_{};
};

}  // namespace attestbed::tools
