// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cpuid.h"
#include "sim/failure.h"

namespace attestbed::vm {

/// Opened is what open(2) for reading and writing said: 0, or errno.
struct Opened {
  int error = 0;
  explicit operator bool() const { return error == 0; }
};

/// SnpPlatformStatus is the firmware's answer to SNP_PLATFORM_STATUS (SNP ABI 56860, structure STATUS), as Linux hands
/// it on (include/uapi/linux/psp-sev.h, struct sev_user_data_snp_status). TCBs are in the order of the report.
struct SnpPlatformStatus {
  unsigned api_major = 0, api_minor = 0, build = 0;
  bool initialized = false, rmp_initialized = false;
  bool masks_chip_id = false, masks_chip_key = false, has_vlek = false;
  std::uint64_t current_tcb = 0, reported_tcb = 0;
};

/// KvmProbe is what a guest under KVM showed: whether one runs, and the reason in words.
struct KvmProbe {
  bool runs = false;
  std::string reason;
};

/// HostSource is a machine that can be asked what it is: this one, or one that a test describes.
class HostSource {
 public:
  /// root is the directory that is taken for /: files are looked for below it.
  virtual std::string root() const = 0;
  virtual sim::CpuidValues cpuid(std::uint32_t function) = 0;
  /// open_device opens and closes a device, named without the root.
  virtual Opened open_device(const std::string& path) = 0;
  virtual sim::Outcome<SnpPlatformStatus> snp_platform_status() = 0;
  /// run starts a program, named without the root, and returns what it wrote to standard output. Fails if it cannot be
  /// started, ends with anything but 0, or takes longer than 5 s.
  virtual sim::Outcome<std::string> run(const std::vector<std::string>& argv) = 0;

  /// probe_kvm starts a tiny guest under KVM with this QEMU. Fails only if it could not be tried.
  virtual sim::Outcome<KvmProbe> probe_kvm(const std::string& qemu) = 0;

 protected:
  ~HostSource() = default;
};

/// ThisHost is the machine that this program runs on. Changes nothing on it.
class ThisHost final : public HostSource {
 public:
  std::string root() const override { return "/"; }
  sim::CpuidValues cpuid(std::uint32_t function) override;
  Opened open_device(const std::string& path) override;
  sim::Outcome<SnpPlatformStatus> snp_platform_status() override;
  sim::Outcome<std::string> run(const std::vector<std::string>& argv) override;
  sim::Outcome<KvmProbe> probe_kvm(const std::string& qemu) override;
};

}  // namespace attestbed::vm
