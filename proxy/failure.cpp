// SPDX-License-Identifier: Apache-2.0
#include "proxy/failure.h"

#include "core/posix/describe.h"

namespace attestbed::proxy {

std::string escaped(std::string_view octets) {
  constexpr std::string_view kShort = "\\\n\r\t", kShown = "\\nrt";
  std::string shown;
  for (const char c : octets) {
    if (const std::size_t at = kShort.find(c); at != std::string_view::npos) {
      shown += {'\\', kShown[at]};
    } else if (c >= ' ' && c <= '~') {
      shown += c;
    } else {
      shown += "\\x" + posix::to_hex(bytes_of({&c, 1}));
    }
  }
  return shown;
}

std::string brief(const Error& error) {
  std::string text = std::string(error_name(error.code)) + " at " + error.where;
  const std::string numbers = posix::numbers_in_words(error);
  return numbers.empty() ? text : text + ", " + numbers;
}

}  // namespace attestbed::proxy
