// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/doctor_report.h"

#include <algorithm>

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using vm::CheckState;
using vm::HostCheck;

std::size_t count(const std::vector<HostCheck>& checks, CheckState state) {
  return static_cast<std::size_t>(
      std::ranges::count_if(checks, [&](const HostCheck& check) { return check.required && check.state == state; }));
}

ordered_json names(const std::vector<HostCheck>& checks, CheckState state) {
  ordered_json list = ordered_json::array();
  for (const HostCheck& check : checks) {
    if (check.required && check.state == state) list.push_back(check.name);
  }
  return list;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string verdict(const Purpose& purpose) {
  if (purpose.missing() != 0) return "no, " + std::to_string(purpose.missing()) + " missing";
  if (purpose.unknown() != 0) return "perhaps, " + std::to_string(purpose.unknown()) + " unknown";
  return "ready";
}

}  // namespace

std::size_t Purpose::missing() const {
  return count(checks, CheckState::missing);
}

std::size_t Purpose::unknown() const {
  return count(checks, CheckState::unknown);
}

std::string doctor_text(const std::vector<Purpose>& purposes) {
  constexpr std::size_t kState = 9, kName = 14;
  std::string text;
  for (const Purpose& purpose : purposes) {
    text += (text.empty() ? "" : "\n") + std::string(purpose.title) + ": " + verdict(purpose) + "\n";
    for (const HostCheck& check : purpose.checks) {
      text += "  " + padded(vm::state_name(check.state), kState) + padded(check.name, kName) + check.found +
              (check.required ? "" : " (optional)") + "\n";
      if (!check.next.empty()) text += std::string(2 + kState + kName, ' ') + "-> " + check.next + "\n";
    }
  }
  return text;
}

ordered_json doctor_json(const std::vector<Purpose>& purposes) {
  ordered_json all = ordered_json::object();
  for (const Purpose& purpose : purposes) {
    ordered_json checks = ordered_json::array();
    for (const HostCheck& check : purpose.checks) {
      ordered_json one = {{"name", check.name},
                          {"required", check.required},
                          {"state", vm::state_name(check.state)},
                          {"found", check.found}};
      if (!check.next.empty()) one["next"] = check.next;
      checks.push_back(std::move(one));
    }
    all[purpose.name] = {{"ready", purpose.missing() == 0},
                         {"missing", names(purpose.checks, CheckState::missing)},
                         {"unknown", names(purpose.checks, CheckState::unknown)},
                         {"checks", std::move(checks)}};
  }
  return all;
}

}  // namespace attestbed::tools
