// SPDX-License-Identifier: Apache-2.0
#include "sim/failure.h"

#include "core/posix/describe.h"

namespace attestbed::sim {

Failure failure_at(const std::string& subject, const Error& error) {
  const std::string numbers = posix::numbers_in_words(error);
  return {error.code, subject + ": " + error_row(error.code).meaning + " (" + error.where +
                          (numbers.empty() ? "" : "; " + numbers) + ")"};
}

}  // namespace attestbed::sim
