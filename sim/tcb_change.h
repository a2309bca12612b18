// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/snp/report.h"

namespace attestbed::sim {

/// TcbChange is what an option says of a TCB: the components it names, in place of others'.
struct TcbChange {
  std::optional<std::uint8_t> fmc{}, boot_loader{}, tee{}, snp{}, microcode{};
  friend bool operator==(const TcbChange&, const TcbChange&) = default;
};

/// changed is `base` with what the change names.
snp::Tcb changed(const snp::Tcb& base, const TcbChange& change);

/// parse_tcb_change reads `bl=4,snp=24,ucode=219`: names as the KDS has them without SPL, each at most once.
/// Errors: bad_value.
Result<TcbChange> parse_tcb_change(std::string_view text);

}  // namespace attestbed::sim
