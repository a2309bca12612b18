// SPDX-License-Identifier: Apache-2.0
#include "sim/ovmf_files.h"

#include "core/posix/describe.h"
#include "sim/ovmf_launch.h"

namespace attestbed::sim {
namespace {

Outcome<std::string> read(const std::string& path, std::size_t max) {
  Result<std::string> octets = posix::read_file(path, max);
  if (!octets) return failure_at(path, octets.error());
  return *std::move(octets);
}

}  // namespace

Outcome<LaunchImage> load_ovmf_launch(const OvmfFiles& files) {
  OvmfLaunch launch;
  launch.vcpus = files.vcpus;
  launch.cpu.sev_features = files.guest_features;
  launch.cpu.vmm = TRY(vmm_named(files.vmm_type));
  launch.cpu.cpu_signature = files.vcpu_signature;
  if (files.vcpu_signature == 0) launch.cpu.cpu_signature = TRY(cpu_signature_of(files.vcpu_type));
  const std::string firmware = TRY(read(files.ovmf, kMaxOvmfBytes));
  std::string kernel, initrd;
  if (!files.initrd.empty()) initrd = TRY(read(files.initrd, kMaxKernelBytes));
  if (!files.kernel.empty()) {
    kernel = TRY(read(files.kernel, kMaxKernelBytes));
    launch.direct = DirectKernel{bytes_of(kernel), bytes_of(initrd), files.cmdline};
  }
  return ovmf_image(ImageFile(files.ovmf, bytes_of(firmware)), launch);
}

}  // namespace attestbed::sim
