// SPDX-License-Identifier: Apache-2.0
#include "proxy/failure.h"

namespace attestbed::proxy {

namespace {

// For a text that does not parse, `found` is the offset at which that showed.
bool found_is_an_offset(Errc code) {
  switch (code) {
    case Errc::bad_base64:
    case Errc::bad_json:
    case Errc::json_depth:
    case Errc::json_duplicate:
    case Errc::json_type:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string brief(const Error& error) {
  std::string text = std::string(error_name(error.code)) + " at " + error.where;
  const std::string found = std::to_string(error.found);
  if (error.expected != 0) return text + ", expected " + std::to_string(error.expected) + ", found " + found;
  if (error.found == 0) return text;
  return text + (found_is_an_offset(error.code) ? ", offset " : ", found ") + found;
}

}  // namespace attestbed::proxy
