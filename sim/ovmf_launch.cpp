// SPDX-License-Identifier: Apache-2.0
#include "sim/ovmf_launch.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

constexpr std::uint64_t kFourGib = 1ULL << 32;

std::vector<std::uint8_t> octets_of_page(Bytes octets) {
  return {octets.begin(), octets.end()};
}

/// hashes_page puts the table where the firmware looks for it in its page.
Outcome<std::vector<std::uint8_t>> hashes_page(const ImageFile& file, const OvmfSection& section,
                                               std::uint32_t table_gpa, const DirectKernel& direct) {
  const std::uint64_t last = section.gpa + snp::kPageBytes - sizeof(KernelHashes);
  if (table_gpa < section.gpa || table_gpa > last) {
    return file.malformed(file.size(), "kernel hash table GPA",
                          hex_number(section.gpa) + " to " + hex_number(last) + ", inside its section",
                          hex_number(table_gpa));
  }
  const Result<KernelHashes> hashes = kernel_hashes(direct);
  if (!hashes) return failure_at("kernel hashes", hashes.error());
  std::vector<std::uint8_t> page(snp::kPageBytes);
  std::ranges::copy(*hashes, page.begin() + static_cast<std::ptrdiff_t>(table_gpa - section.gpa));
  return page;
}

Failure no_hashes(const ImageFile& file, const char* what) {
  return {Errc::kernel_hashes_missing,
          file.name() + ": expected " + what + " in the SEV metadata, found none: this firmware would boot any kernel"};
}

Outcome<LaunchRegion> region_of(const ImageFile& file, const Ovmf& ovmf, const OvmfSection& section,
                                const OvmfLaunch& launch) {
  LaunchRegion region{
      PageType::zero, section.gpa, section.size / snp::kPageBytes, {}, {}, false, section_name(section.type)};
  switch (section.type) {
    case OvmfSectionType::sec_mem:
      if (launch.cpu.vmm == Vmm::gce) region.type = PageType::unmeasured;
      break;
    case OvmfSectionType::secrets:
      region.type = PageType::secrets;
      break;
    case OvmfSectionType::cpuid:
      region.type = PageType::cpuid;
      break;
    case OvmfSectionType::svsm_caa:
      break;
    case OvmfSectionType::kernel_hashes:
      if (!launch.direct) break;
      region.type = PageType::normal;
      region.content = TRY(hashes_page(file, section, *ovmf.hash_table_gpa, *launch.direct));
      break;
  }
  return region;
}

}  // namespace

Outcome<LaunchImage> ovmf_image(const ImageFile& file, const OvmfLaunch& launch) {
  if (launch.vcpus < 1 || launch.vcpus > kMaxVcpus) {
    return Failure{Errc::bad_config, "virtual CPUs: expected 1 to " + std::to_string(kMaxVcpus) + ", found " +
                                         std::to_string(launch.vcpus)};
  }
  const Ovmf ovmf = TRY(parse_ovmf(file));
  const auto is_hashes = [](const OvmfSection& each) { return each.type == OvmfSectionType::kernel_hashes; };
  if (launch.direct) {
    if (!ovmf.hash_table_gpa) return no_hashes(file, "a kernel hash table");
    if (std::ranges::none_of(ovmf.sections, is_hashes)) return no_hashes(file, "a section SNP_KERNEL_HASHES");
  }
  if (launch.vcpus > 1 && !ovmf.ap_eip) {
    return file.malformed(file.size(), "GUIDed table", "an SEV-ES reset block for more than one virtual CPU", "none");
  }
  LaunchImage image;
  const Bytes firmware = TRY(file.slice(0, file.size(), "firmware"));
  image.push_back({PageType::normal,
                   kFourGib - file.size(),
                   file.size() / snp::kPageBytes,
                   octets_of_page(firmware),
                   {},
                   false,
                   "firmware"});
  for (const OvmfSection& section : ovmf.sections) {
    LaunchRegion region = TRY(region_of(file, ovmf, section, launch));
    image.push_back(std::move(region));
  }
  if (launch.cpu.vmm == Vmm::ec2) {
    // EC2 adds the CPUID page when all others are there.
    std::stable_partition(image.begin(), image.end(),
                          [](const LaunchRegion& region) { return region.type != PageType::cpuid; });
  }
  for (unsigned number = 0; number < launch.vcpus; ++number) {
    VmsaState state = launch.cpu;
    state.eip = number == 0 ? kResetVector : *ovmf.ap_eip;
    image.push_back({PageType::vmsa,
                     kVmsaGpa,
                     1,
                     octets_of_page(vmsa_page(state)),
                     {},
                     false,
                     "VMSA of CPU " + std::to_string(number)});
  }
  return image;
}

}  // namespace attestbed::sim
