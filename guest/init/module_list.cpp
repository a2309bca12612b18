// SPDX-License-Identifier: Apache-2.0
#include "guest/init/module_list.h"

#include <algorithm>
#include <array>

namespace attestbed::guest {
namespace {

constexpr std::array<std::string_view, kWhens> kNames{"always",    "snp", "virtio-serial", "vsock", "vsock-loopback",
                                                      "simulated", "tsm"};

Failure malformed(Errc code, std::size_t line, std::string why) {
  return {{code, "module list"},
          std::string(kModuleList) + ": line " + std::to_string(line) + ": " + std::move(why),
          "make the image anew with attestbed image"};
}

}  // namespace

const char* when_name(When when) {
  return kNames[static_cast<std::size_t>(when)].data();
}

bool is_module_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
}

Outcome<std::vector<ListedModule>> parse_module_list(std::string_view text) {
  if (text.size() > kMaxModuleListBytes) return malformed(Errc::too_large, 1, "the list is longer than 16384 octets");
  std::vector<ListedModule> modules;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t space = line.find(' ');
    const auto when = std::ranges::find(kNames, line.substr(0, space));
    const bool good = space != std::string_view::npos && when != kNames.end() && is_module_name(line.substr(space + 1));
    if (!good) return malformed(Errc::bad_value, number, "'" + printable(line) + "' is not WHEN NAME");
    if (modules.size() == kMaxModules) return malformed(Errc::too_large, number, "more than 256 modules");
    modules.push_back({static_cast<When>(when - kNames.begin()), std::string(line.substr(space + 1))});
  }
  return modules;
}

std::string module_list_text(const std::vector<ListedModule>& modules) {
  std::string text;
  for (const ListedModule& module : modules) text += std::string(when_name(module.when)) + " " + module.name + "\n";
  return text;
}

std::vector<std::string> modules_for(const std::vector<ListedModule>& modules, const std::vector<When>& needed) {
  std::vector<std::string> names;
  for (const ListedModule& module : modules) {
    const bool wanted = std::ranges::find(needed, module.when) != needed.end();
    if (wanted && std::ranges::find(names, module.name) == names.end()) names.push_back(module.name);
  }
  return names;
}

}  // namespace attestbed::guest
