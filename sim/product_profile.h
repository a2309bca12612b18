// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/snp/report.h"

namespace attestbed::sim {

/// SplField is one security patch level extension of a VCEK or VLEK: the last arc of its object identifier below
/// 1.3.6.1.4.1.3704.1.3, and the component of the TCB it shows; null = always zero.
struct SplField {
  std::uint8_t arc;
  std::uint8_t snp::Tcb::*component;
};

/// ProductProfile is what differs between processor lines, as data: a new product is a row, not a branch. The values
/// are those of real reports and certificates (core/verify/testdata).
struct ProductProfile {
  snp::Product product;
  std::uint32_t ark_serial, ask_serial, asvk_serial;
  std::uint8_t struct_version;           // VCEK and VLEK extension .1
  const char* vcek_product_name;         // VCEK extension .2; a VLEK names the product alone
  std::span<const SplField> spl_fields;  // in the order of real certificates
  std::size_t hardware_id_octets;        // of CHIP_ID; the rest is zero
  std::string_view marker;               // with which every simulated chip's id begins
  std::uint8_t cpuid_family, cpuid_model, cpuid_step;
  snp::Tcb tcb;
  snp::FirmwareVersion firmware;
  std::uint64_t platform_info;
};

/// profile_of returns the row of `product`.
const ProductProfile& profile_of(snp::Product product);

/// product_named finds a product by the name snp::product_name gives it, in any case; bad_config if there is none.
Result<snp::Product> product_named(std::string_view name);

}  // namespace attestbed::sim
