// SPDX-License-Identifier: Apache-2.0
#include "guest/init/failure.h"

#include "core/posix/describe.h"

namespace attestbed::guest {

Failure failure_at(const std::string& subject, const Error& error, std::string remedy) {
  const ErrorRow& row = error_row(error.code);
  std::string text = subject + ": " + row.meaning + " (" + error.where;
  if (const std::string numbers = posix::numbers_in_words(error); !numbers.empty()) text += "; " + numbers;
  return {error, text + ")", remedy.empty() ? row.remedy : std::move(remedy)};
}

std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string shown;
  for (const char c : text.substr(0, kMost)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > kMost) shown += "...";
  return shown;
}

}  // namespace attestbed::guest
