// SPDX-License-Identifier: Apache-2.0
#include "proxy/failure.h"

#include "core/posix/describe.h"

namespace attestbed::proxy {

std::string brief(const Error& error) {
  std::string text = std::string(error_name(error.code)) + " at " + error.where;
  const std::string numbers = posix::numbers_in_words(error);
  return numbers.empty() ? text : text + ", " + numbers;
}

}  // namespace attestbed::proxy
