// SPDX-License-Identifier: Apache-2.0
#include "sim/product_profile.h"

#include <algorithm>
#include <cctype>

namespace attestbed::sim {
namespace {

using snp::Tcb;

constexpr SplField kMilanGenoaSpl[] = {{1, &Tcb::boot_loader}, {2, &Tcb::tee}, {4, nullptr},   {5, nullptr},
                                       {6, nullptr},           {7, nullptr},   {3, &Tcb::snp}, {8, &Tcb::microcode}};

constexpr std::uint64_t kSmtEnabled = 1 << 0, kEccEnabled = 1 << 2, kAliasCheckComplete = 1 << 5;

constexpr ProductProfile kProfiles[] = {
    {.product = snp::Product::milan,
     .ark_serial = 0x010000,
     .ask_serial = 0x010001,
     .struct_version = 0,
     .vcek_product_name = "Milan-B0",
     .spl_fields = kMilanGenoaSpl,
     .cpuid_family = 0x19,
     .cpuid_model = 0x01,
     .cpuid_step = 0x01,
     .tcb = {.boot_loader = 4, .tee = 0, .snp = 0x18, .microcode = 0xdb},
     .firmware = {.build = 29, .minor = 55, .major = 1, .reserved = 0},
     .platform_info = kSmtEnabled | kEccEnabled | kAliasCheckComplete},
    {.product = snp::Product::genoa,
     .ark_serial = 0x020000,
     .ask_serial = 0x020002,
     .struct_version = 0,
     .vcek_product_name = "Genoa",
     .spl_fields = kMilanGenoaSpl,
     .cpuid_family = 0x19,
     .cpuid_model = 0x11,
     .cpuid_step = 0x01,
     .tcb = {.boot_loader = 10, .tee = 0, .snp = 0x19, .microcode = 0x54},
     .firmware = {.build = 29, .minor = 55, .major = 1, .reserved = 0},
     .platform_info = kSmtEnabled | kEccEnabled | kAliasCheckComplete},
};

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

Result<const ProductProfile*> profile_of(snp::Product product) {
  for (const ProductProfile& profile : kProfiles) {
    if (profile.product == product) return &profile;
  }
  return Error{Errc::bad_config, "product (simulated: Milan, Genoa)"};
}

Result<snp::Product> product_named(std::string_view name) {
  for (const ProductProfile& profile : kProfiles) {
    if (same_ignoring_case(name, snp::product_name(profile.product))) return profile.product;
  }
  return Error{Errc::bad_config, "product (simulated: Milan, Genoa)"};
}

}  // namespace attestbed::sim
