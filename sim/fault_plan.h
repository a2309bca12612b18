// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace attestbed::sim {

/// FaultKind is what a host may do to one guest request.
///   busy             answers BUSY without asking the firmware
///   invalid_len      answers INVALID_LEN (needing so many pages, 1 if absent) without asking it, even where the guest
///                    asked for no certificates
///   firmware_status  answers with this firmware status (argument, 0x16 if absent) without asking it
///   flip_bit         flips a bit (argument, 0..32767) of the reply page
///   torn             changes the page while the guest copies it: up to an octet (argument, 0..4095) the guest has
///                    this reply, from there the one before, or zeros if there was none
///   twice            gives the answer once more, whether the guest asks again or not: on a firmware socket it lies
///   where
///                    the next answer is expected; in one process, where a reply has one page, it changes nothing
///   wrong_page       hands back the reply before this one, or an empty page if there was none
///   replay           hands the request to the firmware twice and gives the exit of the second time
///   delay            lets the firmware work and gives the answer later (argument, milliseconds, at most 600000)
///   silence          lets the firmware work and withholds its answer
enum class FaultKind : std::uint8_t {
  busy,
  invalid_len,
  firmware_status,
  flip_bit,
  torn,
  twice,
  wrong_page,
  replay,
  delay,
  silence
};
const char* fault_name(FaultKind kind);

/// Fault is one of them at one place in a guest's life. Faults are data: a run is repeated from its printed plan.
///   nth_call  counted from 1
///   onwards   also every later call
struct Fault {
  std::uint64_t nth_call = 1;
  bool onwards = false;
  FaultKind kind = FaultKind::busy;
  std::optional<std::uint32_t> argument;
  friend bool operator==(const Fault&, const Fault&) = default;
};

/// fault_text prints N[+]:KIND[:ARGUMENT], such as "2:flip_bit:100" or "1+:busy"; parse_fault reads it, the argument
/// decimal or 0x hexadecimal. Errors: bad_config; `where` says what is wrong.
std::string fault_text(const Fault& fault);
Result<Fault> parse_fault(std::string_view text);

/// FaultPlan is what happens to one guest; the first fault that fits a call is taken.
using FaultPlan = std::vector<Fault>;
const Fault* fault_at(const FaultPlan& plan, std::uint64_t call);

}  // namespace attestbed::sim
