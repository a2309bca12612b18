// SPDX-License-Identifier: Apache-2.0
#include "proxy/failure.h"

namespace attestbed::proxy {

std::string brief(const Error& error) {
  std::string text = std::string(error_name(error.code)) + " at " + error.where;
  if (error.expected != 0 || error.found != 0) {
    text += ", expected " + std::to_string(error.expected) + ", found " + std::to_string(error.found);
  }
  return text;
}

}  // namespace attestbed::proxy
