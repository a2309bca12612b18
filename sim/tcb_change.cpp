// SPDX-License-Identifier: Apache-2.0
#include "sim/tcb_change.h"

#include <charconv>

namespace attestbed::sim {
namespace {

/// level_of is the component that the KDS calls `name`; null if there is none.
std::optional<std::uint8_t> TcbChange::*level_of(std::string_view name) {
  if (name == "fmc") return &TcbChange::fmc;
  if (name == "bl") return &TcbChange::boot_loader;
  if (name == "tee") return &TcbChange::tee;
  if (name == "snp") return &TcbChange::snp;
  if (name == "ucode") return &TcbChange::microcode;
  return nullptr;
}

}  // namespace

snp::Tcb changed(const snp::Tcb& base, const TcbChange& change) {
  return {.fmc = change.fmc.value_or(base.fmc),
          .boot_loader = change.boot_loader.value_or(base.boot_loader),
          .tee = change.tee.value_or(base.tee),
          .snp = change.snp.value_or(base.snp),
          .microcode = change.microcode.value_or(base.microcode)};
}

Result<TcbChange> parse_tcb_change(std::string_view text) {
  TcbChange out;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t equals = part.find('=');
    const auto member = level_of(part.substr(0, equals));
    if (equals == std::string_view::npos || member == nullptr || (out.*member).has_value()) {
      return Error{Errc::bad_value, "TCB (levels such as bl=4,snp=24)"};
    }
    const std::string_view digits = part.substr(equals + 1);
    std::uint8_t level = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return Error{Errc::bad_value, "TCB level (0 to 255)"};
    }
    out.*member = level;
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace attestbed::sim
