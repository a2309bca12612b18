// SPDX-License-Identifier: Apache-2.0
#include "sim/product_profile.h"

#include <algorithm>
#include <cctype>

namespace attestbed::sim {
namespace {

using snp::Tcb;

constexpr SplField kMilanGenoaSpl[] = {{1, &Tcb::boot_loader}, {2, &Tcb::tee}, {4, nullptr},   {5, nullptr},
                                       {6, nullptr},           {7, nullptr},   {3, &Tcb::snp}, {8, &Tcb::microcode}};
constexpr SplField kTurinSpl[] = {{9, &Tcb::fmc}, {1, &Tcb::boot_loader}, {2, &Tcb::tee}, {3, &Tcb::snp},
                                  {5, nullptr},   {6, nullptr},           {7, nullptr},   {8, &Tcb::microcode}};

// Bit 6 has no public name, but AMD's Turin sets it.
constexpr std::uint64_t kSmtEnabled = 1 << 0, kTsmeEnabled = 1 << 1, kEccEnabled = 1 << 2, kAliasCheckComplete = 1 << 5,
                        kTurinBit6 = 1 << 6;

constexpr std::string_view kMarker = "attestbed-sim", kShortMarker = "abed-sim";

constexpr ProductProfile kProfiles[] = {
    {.product = snp::Product::milan,
     .ark_serial = 0x010000,
     .ask_serial = 0x010001,
     .asvk_serial = 0x010101,
     .struct_version = 0,
     .vcek_product_name = "Milan-B0",
     .spl_fields = kMilanGenoaSpl,
     .hardware_id_octets = 64,
     .marker = kMarker,
     .cpuid_family = 0x19,
     .cpuid_model = 0x01,
     .cpuid_step = 0x01,
     .tcb = {.boot_loader = 4, .tee = 0, .snp = 0x18, .microcode = 0xdb},
     .firmware = {.build = 29, .minor = 55, .major = 1, .reserved = 0},
     .platform_info = kSmtEnabled | kEccEnabled | kAliasCheckComplete},
    {.product = snp::Product::genoa,
     .ark_serial = 0x020000,
     .ask_serial = 0x020002,
     .asvk_serial = 0x020101,
     .struct_version = 0,
     .vcek_product_name = "Genoa",
     .spl_fields = kMilanGenoaSpl,
     .hardware_id_octets = 64,
     .marker = kMarker,
     .cpuid_family = 0x19,
     .cpuid_model = 0x11,
     .cpuid_step = 0x01,
     .tcb = {.boot_loader = 10, .tee = 0, .snp = 0x19, .microcode = 0x54},
     .firmware = {.build = 29, .minor = 55, .major = 1, .reserved = 0},
     .platform_info = kSmtEnabled | kEccEnabled | kAliasCheckComplete},
    {.product = snp::Product::turin,
     .ark_serial = 0x030000,
     .ask_serial = 0x030001,
     .asvk_serial = 0x030101,
     .struct_version = 1,
     .vcek_product_name = "Turin",
     .spl_fields = kTurinSpl,
     .hardware_id_octets = 8,
     .marker = kShortMarker,
     .cpuid_family = 0x1a,
     .cpuid_model = 0x02,
     .cpuid_step = 0x01,
     .tcb = {.fmc = 0, .boot_loader = 1, .tee = 0, .snp = 2, .microcode = 0x47},
     .firmware = {.build = 61, .minor = 55, .major = 1, .reserved = 0},
     .platform_info = kSmtEnabled | kTsmeEnabled | kEccEnabled | kAliasCheckComplete | kTurinBit6},
};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

const ProductProfile& profile_of(snp::Product product) {
  switch (product) {
    case snp::Product::milan:
      return kProfiles[0];
    case snp::Product::genoa:
      return kProfiles[1];
    case snp::Product::turin:
      return kProfiles[2];
  }
  return kProfiles[0];
}

Result<snp::Product> product_named(std::string_view name) {
  for (const ProductProfile& profile : kProfiles) {
    if (same_ignoring_case(name, snp::product_name(profile.product))) return profile.product;
  }
  return Error{Errc::bad_config, "product (Milan, Genoa or Turin)"};
}

}  // namespace attestbed::sim
