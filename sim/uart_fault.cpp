// SPDX-License-Identifier: Apache-2.0
#include "sim/uart_fault.h"

#include <charconv>

namespace attestbed::sim {
namespace {

enum class Argument { none, optional, needed };
struct Kind {
  UartFaultKind kind;
  const char* name;
  Argument argument;
  std::uint8_t max;
};
constexpr Kind kKinds[] = {
    {UartFaultKind::overrun, "overrun", Argument::optional, 255},
    {UartFaultKind::flip_bit, "flip_bit", Argument::needed, 7},
    {UartFaultKind::insert, "insert", Argument::needed, 255},
    {UartFaultKind::framing, "framing", Argument::none, 0},
    {UartFaultKind::line_break, "line_break", Argument::none, 0},
};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string uart_fault_text(const UartFault& fault) {
  std::string text = std::to_string(fault.nth_octet) + (fault.onwards ? "+:" : ":");
  for (const Kind& row : kKinds) {
    if (row.kind == fault.kind) text += row.name;
  }
  if (fault.argument) text += ":" + std::to_string(*fault.argument);
  return text;
}

Result<UartFault> parse_uart_fault(std::string_view text) {
  const std::size_t first = text.find(':');
  std::string_view number = text.substr(0, first);
  std::string_view name = first == std::string_view::npos ? std::string_view() : text.substr(first + 1);
  std::optional<std::string_view> argument;
  if (const std::size_t second = name.find(':'); second != std::string_view::npos) {
    argument = name.substr(second + 1);
    name = name.substr(0, second);
  }
  UartFault fault;
  if (number.ends_with('+')) {
    fault.onwards = true;
    number.remove_suffix(1);
  }
  if (!parse_number(number, fault.nth_octet) || fault.nth_octet == 0) {
    return Error{Errc::bad_config, "fault: octet number (N:KIND[:ARG], N from 1, N+ for every octet from there)"};
  }
  for (const Kind& row : kKinds) {
    if (name != row.name) continue;
    fault.kind = row.kind;
    if (!argument && row.argument == Argument::needed) {
      return Error{Errc::bad_config, "fault: argument is missing"};
    }
    if (!argument) return fault;
    std::uint8_t value = 0;
    if (row.argument == Argument::none || !parse_number(*argument, value) || value > row.max) {
      return Error{Errc::bad_config, "fault: argument", 0, row.max};
    }
    fault.argument = value;
    return fault;
  }
  return Error{Errc::bad_config, "fault: kind (overrun, flip_bit, insert, framing, line_break)"};
}

}  // namespace attestbed::sim
