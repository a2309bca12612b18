// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_words.h"

#include "tools/launch/shell_word.h"

namespace attestbed::vm {

std::string comma_escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) escaped.append(c == ',' ? 2 : 1, c);
  return escaped;
}

std::string shell_command(const std::vector<std::string>& argv) {
  std::string command;
  for (const std::string& word : argv) {
    if (!command.empty()) command += word.starts_with('-') ? " \\\n  " : " ";
    command += launch::shell_word(word);
  }
  return command;
}

}  // namespace attestbed::vm
