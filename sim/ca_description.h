// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "sim/failure.h"
#include "sim/product_profile.h"

namespace attestbed::sim {

/// Description is what the certificates of an authority say that its keys do not; ca.json in a saved directory.
///   chip_id     as reports show it: 64 octets, on Turin 8 and zeros
///   tcb         REPORTED_TCB, for which VCEK and VLEK stand
///   not_before  when all certificates begin to be valid
///   csp_id      the cloud provider to whom the VLEK belongs: 1 to 64 printable ASCII characters
struct Description {
  snp::Product product = snp::Product::milan;
  snp::ChipId chip_id{};
  snp::Tcb tcb{};
  std::chrono::sys_seconds not_before{};
  std::string csp_id;

  const ProductProfile& profile() const { return profile_of(product); }
  /// hardware_id is the part of the chip id that a VCEK and the KDS name: 64 octets, on Turin 8. A view.
  Bytes hardware_id() const { return Bytes(chip_id).first(profile().hardware_id_octets); }
};

/// csp_id_ok is true for 1 to 64 printable ASCII characters.
bool csp_id_ok(std::string_view csp_id);

/// tcb_ok demands what a certificate of the product can say: fmc only on Turin, each level but microcode's at most 127,
/// which is what verifiers accept. Errors: bad_config naming the component.
Status tcb_ok(snp::Product product, const snp::Tcb& tcb);

/// describe writes the text of ca.json; read_description reads it, every member present and of its form.
///   errors  bad_config; the text begins with `path` and names the member
std::string describe(const Description& it);
Outcome<Description> read_description(const std::string& path, std::string_view content);

}  // namespace attestbed::sim
