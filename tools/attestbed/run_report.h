// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/attestbed/run_observation.h"

namespace attestbed::tools {

/// ShowSecret says whether what was released is shown, or only its length and SHA-256.
enum class ShowSecret { no, yes };

/// RunResult is everything that one `attestbed run` found out.
struct RunResult {
  Scenario scenario;
  std::string measurement;
  std::vector<Part> parts;
  std::vector<std::string> early_ends;
  std::vector<GuestRun> guests;
  std::string kept;  // the folder of --keep, empty = none

  bool all_released() const;
};

/// run_json is the result as one object (docs/man/attestbed-run.1).
std::string run_json(const RunResult& result, ShowSecret show);

/// run_text is the result for people: parts, who said what to whom with times, what it means, and last the secret.
std::string run_text(const RunResult& result, ShowSecret show);

}  // namespace attestbed::tools
