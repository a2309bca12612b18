// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// FaultFate is what became of one --fault, by the audit lines of the broker that was told of it.
///   fault     as the broker names it
///   applied   how many answers or connections it broke
///   skipped   how often its turn came, and the answer had nothing that it could break
///   requests  how many requests its endpoint had in all, whose turn ever it was; 0 of `connection`, which are not
///             logged
struct FaultFate {
  std::string fault;
  std::uint64_t applied = 0, skipped = 0, requests = 0;

  bool happened() const { return applied != 0; }
};

/// fault_fates compares a plan with what was done. `planned` are the values of --fault, each of which parses.
std::vector<FaultFate> fault_fates(std::span<const std::string> planned, const Logs& logs);

/// faults_unmet is one line of complaint for each that never happened, empty if there is none.
std::vector<std::string> faults_unmet(std::span<const FaultFate> fates);

/// faults_json is [{fault, applied, skipped}].
nlohmann::ordered_json faults_json(std::span<const FaultFate> fates);

/// faults_text is a line for each for people, empty without a plan.
std::string faults_text(std::span<const FaultFate> fates);

}  // namespace attestbed::tools
