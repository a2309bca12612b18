// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/certificate.h"

namespace attestbed::sim {

/// KdsAsk is what a request target asks a KDS for.
struct KdsAsk {
  enum class What { cert_chain, crl, vcek, vlek };
  What what;
  VekLine line;
  snp::Product product;
  std::vector<std::uint8_t> hardware_id;  // of a VCEK: 64 octets, Turin 8
  snp::Tcb tcb;                           // of a VCEK
  friend bool operator==(const KdsAsk&, const KdsAsk&) = default;
};

inline constexpr std::size_t kMaxKdsTargetBytes = 512;

/// parse_kds_target reads path and query as AMD's KDS has them (docs/kds.md): hardware ids in lower-case hex
/// of the product's own length; levels decimal, padded or not, in any order, each exactly once, fmcSPL on Turin alone.
/// None for everything else: that is a 404.
std::optional<KdsAsk> parse_kds_target(std::string_view target);

}  // namespace attestbed::sim
