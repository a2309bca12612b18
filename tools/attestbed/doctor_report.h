// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/vm/host_checks.h"

namespace attestbed::tools {

/// Purpose is what a host is examined for, and the checks of it.
///   name   "simulation" or "snp"
///   title  for people
struct Purpose {
  const char* name;
  const char* title;
  std::vector<vm::HostCheck> checks;

  /// missing counts required checks whose state is missing; unknown the same for unknown.
  std::size_t missing() const;
  std::size_t unknown() const;
};

/// doctor_text has a block per purpose, a line per check, and under a check that is not ok what to do next.
std::string doctor_text(const std::vector<Purpose>& purposes);

/// doctor_json has a member per purpose: `ready` (nothing required is missing), `missing` and `unknown` (names of
/// required checks), `checks` (name, required, state, found, next; next is absent where there is nothing to do).
nlohmann::ordered_json doctor_json(const std::vector<Purpose>& purposes);

}  // namespace attestbed::tools
