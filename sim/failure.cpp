// SPDX-License-Identifier: Apache-2.0
#include "sim/failure.h"

#include <cerrno>
#include <system_error>

namespace attestbed::sim {

Failure failure_at(const std::string& subject, const Error& error) {
  const ErrorRow& row = error_row(error.code);
  std::string text = subject + ": " + row.meaning + " (" + error.where;
  const bool has_errno = (error.code == Errc::io_failed || error.code == Errc::transport) && error.found != 0;
  if (has_errno) {
    text += ": " + std::system_category().message(static_cast<int>(error.found));
  } else if (error.found != 0 || error.expected != 0) {
    text += "; expected " + std::to_string(error.expected) + ", found " + std::to_string(error.found);
  }
  return {error.code, text + ")"};
}

}  // namespace attestbed::sim
