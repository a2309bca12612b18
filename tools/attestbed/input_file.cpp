// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/input_file.h"

#include "core/posix/describe.h"

namespace attestbed::tools {

verify::Checked<std::vector<std::uint8_t>> read_file(const std::string& path, std::size_t max) {
  const Result<std::string> octets = posix::read_file(path, max);
  if (octets) return std::vector<std::uint8_t>(octets->begin(), octets->end());
  const Error& why = octets.error();
  if (why.code == Errc::too_large) {
    return verify::Refusal{Errc::too_large, verify::printable(path, 200), "at most " + std::to_string(max) + " octets",
                           "more"};
  }
  const std::string numbers = posix::numbers_in_words(why);
  return verify::Refusal{Errc::io_failed, verify::printable(path, 200), "a file that can be read",
                         numbers.empty() ? why.where : numbers};
}

}  // namespace attestbed::tools
