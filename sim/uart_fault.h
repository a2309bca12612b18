// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace attestbed::sim {

/// UartFaultKind is what may happen to octets on their way to the guest.
///   overrun   the sender ignores flow control: the octet and those after it, as many as the argument says (32 if
///             absent), arrive with or without room
///   flip_bit  a bit (argument, 0..7) changes
///   insert    an octet (argument, 0..255) arrives before it
///   framing   its stop bit is missing: LSR shows a framing error
///   line_break  the line is held low for it: a zero octet with the break indication
enum class UartFaultKind : std::uint8_t { overrun, flip_bit, insert, framing, line_break };

/// UartFault is one of them at one place of the stream. Like sim::Fault it is data: a run is repeated from its printed
/// plan.
///   nth_octet  of those that the far end sends, counted from 1
///   onwards    also every later octet
struct UartFault {
  std::uint64_t nth_octet = 1;
  bool onwards = false;
  UartFaultKind kind = UartFaultKind::overrun;
  std::optional<std::uint8_t> argument;
  friend bool operator==(const UartFault&, const UartFault&) = default;
  bool hits(std::uint64_t octet) const { return nth_octet == octet || (onwards && nth_octet < octet); }
};

/// uart_fault_text prints N[+]:KIND[:ARGUMENT], such as "9:flip_bit:3" or "100+:overrun"; parse_uart_fault reads it,
/// numbers decimal. Errors: bad_config; `where` says what is wrong.
std::string uart_fault_text(const UartFault& fault);
Result<UartFault> parse_uart_fault(std::string_view text);

/// UartFaultPlan is what happens to one line; all faults that fit an octet are applied, in their order.
using UartFaultPlan = std::vector<UartFault>;

}  // namespace attestbed::sim
