// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_faults.h"

#include <algorithm>

#include "mock-kbs/fault_plan.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string logged_text(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// The broker logs "POST auth", a plan says "auth".
bool concerns(const std::string& logged, kbs::FaultEndpoint endpoint) {
  const std::string name = logged.substr(logged.find(' ') + 1);
  if (endpoint != kbs::FaultEndpoint::any) return name == kbs::fault_endpoint_name(endpoint);
  return name == "auth" || name == "attest" || name == "resource";
}

std::string so_often(std::uint64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

}  // namespace

std::vector<FaultFate> fault_fates(std::span<const std::string> planned, const Logs& logs) {
  std::vector<FaultFate> fates;
  for (const std::string& text : planned) {
    const auto parsed = kbs::parse_fault(text);
    if (!parsed) continue;
    FaultFate fate{.fault = kbs::fault_text(*parsed)};
    for (const Logs::Event& event : logs.broker()) {
      if (logged_text(event.fields, "event") != "request") continue;
      if (logged_text(event.fields, "fault") == fate.fault) ++fate.applied;
      if (logged_text(event.fields, "fault_skipped") == fate.fault) ++fate.skipped;
      const bool counted = parsed->endpoint != kbs::FaultEndpoint::connection;
      if (counted && concerns(logged_text(event.fields, "endpoint"), parsed->endpoint)) ++fate.requests;
    }
    fates.push_back(std::move(fate));
  }
  return fates;
}

std::vector<std::string> faults_unmet(std::span<const FaultFate> fates) {
  std::vector<std::string> unmet;
  for (const FaultFate& fate : fates) {
    if (fate.happened()) continue;
    std::string why = "its turn never came";
    if (fate.skipped != 0) {
      why = "its turn came " + so_often(fate.skipped) + ", and the answer had nothing that it could break";
    } else if (!fate.fault.starts_with(kbs::fault_endpoint_name(kbs::FaultEndpoint::connection))) {
      why +=
          " in " + std::to_string(fate.requests) + (fate.requests == 1 ? " request" : " requests") + " to its endpoint";
    }
    unmet.push_back("DID NOT HAPPEN: --fault " + fate.fault + ": " + why);
  }
  return unmet;
}

ordered_json faults_json(std::span<const FaultFate> fates) {
  ordered_json json = ordered_json::array();
  for (const FaultFate& fate : fates) {
    json.push_back({{"fault", fate.fault}, {"applied", fate.applied}, {"skipped", fate.skipped}});
  }
  return json;
}

std::string faults_text(std::span<const FaultFate> fates) {
  std::string text;
  for (const FaultFate& fate : fates) {
    if (fate.happened()) text += "fault        " + fate.fault + " happened " + so_often(fate.applied) + "\n";
  }
  for (const std::string& unmet : faults_unmet(fates)) text += "*** " + unmet + " ***\n";
  return text;
}

}  // namespace attestbed::tools
