// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/errc.h"
#include "tools/attestbed/run_scenario.h"

namespace attestbed::tools {

/// Side is who must notice that something is broken.
enum class Side { guest, proxy, broker };
const char* side_name(Side side);     // "broker"
const char* side_program(Side side);  // "mock-kbs"

/// BreakRow is one value of --break. It changes an input and never a check: the side that notices is an ordinary
/// program that knows nothing of it. docs/breaks.md shows the same table, and a test keeps both equal.
///   what        the value
///   broken      which input is changed, and how
///   noticed_by  the side whose own log must have `code`
///   code        its code for it
///   guest_code  what attest-guest ends with; its exit status is the one of docs/errors.md
///   apply       makes the change
struct BreakRow {
  const char* what;
  const char* broken;
  Side noticed_by;
  Errc code;
  Errc guest_code;
  void (*apply)(Inputs& inputs);

  int guest_exit() const { return error_row(guest_code).guest_exit; }
};
std::span<const BreakRow> break_rows();
const BreakRow* break_named(std::string_view what);  // null if there is none

/// break_row_text is the row as docs/breaks.md has it: "| `key` | … | broker | `report_data_mismatch` | … | 1 |".
std::string break_row_text(const BreakRow& row);

/// break_list is the table for people: two lines a row, without the row of that name.
std::string break_list(std::string_view without = {});

}  // namespace attestbed::tools
