// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include <charconv>

#include "core/snp/vmpck.h"

namespace attestbed::sim {
namespace {

struct Kind {
  FaultKind kind;
  const char* name;
  bool takes_argument, needs_argument;
  std::uint32_t max_argument;
};
constexpr Kind kKinds[] = {
    {FaultKind::busy, "busy", false, false, 0},
    {FaultKind::invalid_len, "invalid_len", true, false, 0xffff},
    {FaultKind::firmware_status, "firmware_status", true, false, 0xffffffff},
    {FaultKind::flip_bit, "flip_bit", true, true, 8 * snp::kPageBytes - 1},
    {FaultKind::torn, "torn", true, true, snp::kPageBytes - 1},
    {FaultKind::twice, "twice", false, false, 0},
    {FaultKind::wrong_page, "wrong_page", false, false, 0},
    {FaultKind::replay, "replay", false, false, 0},
    {FaultKind::delay, "delay", true, true, 600'000},
    {FaultKind::silence, "silence", false, false, 0},
};

template <class T>
bool parse_number(std::string_view text, T& value) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view next_part(std::string_view& text) {
  const std::size_t colon = text.find(':');
  const std::string_view part = text.substr(0, colon);
  text = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  return part;
}

}  // namespace

const char* fault_name(FaultKind kind) {
  for (const Kind& row : kKinds) {
    if (row.kind == kind) return row.name;
  }
  return "?";
}

std::string fault_text(const Fault& fault) {
  std::string text = std::to_string(fault.nth_call) + (fault.onwards ? "+:" : ":") + fault_name(fault.kind);
  if (fault.argument) text += ":" + std::to_string(*fault.argument);
  return text;
}

Result<Fault> parse_fault(std::string_view text) {
  const bool has_argument = text.find(':') != text.rfind(':');
  std::string_view number = next_part(text);
  const std::string_view name = next_part(text);
  Fault fault;
  if (number.ends_with('+')) {
    fault.onwards = true;
    number.remove_suffix(1);
  }
  if (!parse_number(number, fault.nth_call) || fault.nth_call == 0) {
    return Error{Errc::bad_config, "fault: call number (N:KIND[:ARG], N from 1, N+ for every call from there)"};
  }
  for (const Kind& row : kKinds) {
    if (name != row.name) continue;
    fault.kind = row.kind;
    std::uint32_t argument = 0;
    if (has_argument && (!row.takes_argument || !parse_number(text, argument) || argument > row.max_argument)) {
      return Error{Errc::bad_config, "fault: argument", argument, row.max_argument};
    }
    if (!has_argument && row.needs_argument) return Error{Errc::bad_config, "fault: argument is missing"};
    if (has_argument) fault.argument = argument;
    return fault;
  }
  return Error{
      Errc::bad_config,
      "fault: kind (busy, invalid_len, firmware_status, flip_bit, torn, twice, wrong_page, replay, delay, silence)"};
}

const Fault* fault_at(const FaultPlan& plan, std::uint64_t call) {
  for (const Fault& fault : plan) {
    if (fault.nth_call == call || (fault.onwards && fault.nth_call < call)) return &fault;
  }
  return nullptr;
}

}  // namespace attestbed::sim
