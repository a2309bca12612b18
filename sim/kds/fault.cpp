// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/fault.h"

#include <charconv>

namespace attestbed::sim {
namespace {

constexpr struct {
  KdsFaultKind kind;
  const char* name;
} kKinds[] = {{KdsFaultKind::delay, "delay"}, {KdsFaultKind::garbage, "garbage"}, {KdsFaultKind::truncate, "truncate"}};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::optional<std::string_view> next_part(std::string_view& text, bool& more) {
  if (!more) return std::nullopt;
  const std::size_t colon = text.find(':');
  const std::string_view part = text.substr(0, colon);
  more = colon != std::string_view::npos;
  text = more ? text.substr(colon + 1) : std::string_view{};
  return part;
}

bool is_served_status(int status) {
  return status == 404 || status == 429 || (status >= 500 && status <= 599);
}

Error bad(const char* what) {
  return {Errc::bad_config, what};
}

/// takes_argument says what an argument means to a fault: nothing, something, or that it must be there.
enum class Argument { none, optional, needed };
Argument takes_argument(const KdsFault& fault) {
  if (fault.kind == KdsFaultKind::delay) return Argument::needed;
  const bool optional = fault.kind == KdsFaultKind::truncate || fault.status == 429;
  return optional ? Argument::optional : Argument::none;
}

}  // namespace

std::string kds_fault_text(const KdsFault& fault) {
  std::string text = std::to_string(fault.nth_request) + (fault.onwards ? "+:" : ":");
  if (fault.kind == KdsFaultKind::status) text += std::to_string(fault.status);
  for (const auto& [kind, name] : kKinds) {
    if (fault.kind == kind) text += name;
  }
  if (fault.argument) text += ":" + std::to_string(*fault.argument);
  return text;
}

Result<KdsFault> parse_kds_fault(std::string_view text) {
  bool more = true;
  KdsFault fault;
  std::string_view number = *next_part(text, more);
  const std::optional<std::string_view> name = next_part(text, more);
  const std::optional<std::string_view> argument = next_part(text, more);
  if (number.ends_with('+')) {
    fault.onwards = true;
    number.remove_suffix(1);
  }
  if (!parse_number(number, fault.nth_request) || fault.nth_request == 0 || more) {
    return bad("fault: request number (N:KIND[:ARG], N from 1, N+ for every request from there)");
  }
  bool named = name && parse_number(*name, fault.status) && is_served_status(fault.status);
  if (!named) fault.status = 0;
  for (const auto& [kind, its_name] : kKinds) {
    if (!name || *name != its_name) continue;
    fault.kind = kind;
    named = true;
  }
  if (!named) return bad("fault: kind (404, 429, 500 to 599, delay, garbage, truncate)");
  const Argument takes = takes_argument(fault);
  if (takes == Argument::needed && !argument) return bad("fault: argument is missing");
  if (!argument) return fault;
  std::uint32_t value = 0;
  if (takes == Argument::none || !parse_number(*argument, value) || value > kMaxKdsFaultArgument) {
    return Error{Errc::bad_config, "fault: argument", value, takes == Argument::none ? 0 : kMaxKdsFaultArgument};
  }
  fault.argument = value;
  return fault;
}

const KdsFault* kds_fault_at(const KdsFaultPlan& plan, std::uint64_t request) {
  for (const KdsFault& fault : plan) {
    if (fault.nth_request == request || (fault.onwards && fault.nth_request < request)) return &fault;
  }
  return nullptr;
}

}  // namespace attestbed::sim
