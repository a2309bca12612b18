// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_report.h"

#include <algorithm>

#include "core/posix/describe.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/run_drawing.h"
#include "tools/attestbed/run_story.h"
#include "tools/attestbed/run_table.h"
#include "tools/attestbed/run_verdict.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string string_at(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// A secret is shown as it is if a terminal can take it, else in hexadecimal.
std::string shown(const std::string& secret) {
  const bool plain =
      std::ranges::all_of(secret, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t'; });
  return plain ? secret : "hex:" + posix::to_hex(bytes_of(secret));
}

std::string shortened(const std::string& hex) {
  return hex.size() <= 20 ? hex : hex.substr(0, 8) + ".." + hex.substr(hex.size() - 8);
}

std::string parts_text(const RunResult& result) {
  std::string text;
  for (const Part& part : result.parts) {
    std::string what = part.ready.substr(part.ready.find(' ') + 1);
    if (part.name == "snp-sim") what = "firmware of a simulated " + result.scenario.product + " machine";
    if (part.name == "mock-kbs") what += ", trusts that machine's root";
    if (part.name == "attest-proxy") what = "carries frames to HTTP calls, KBS protocol 0.4.0";
    const std::string time = milliseconds(milliseconds_of(part.took));
    text += "  " + part.name + std::string(14 - std::min<std::size_t>(13, part.name.size()), ' ') + what;
    text += std::string(what.size() + time.size() < 64 ? 64 - what.size() - time.size() : 1, ' ') + time + "\n";
  }
  return text + "  measured      " + shortened(result.measurement) + ", the launch digest that the broker expects\n";
}

// What REPORT_DATA is the digest of (docs/protocol.md).
const char* preimage_of(protocol::Binding binding) {
  return binding == protocol::Binding::svsm_sha512 ? " = SHA-512(key x, key y, challenge)\n"
                                                   : " = SHA-384(JSON of nonce and key), then 16 zeros\n";
}

std::string report_text(const ordered_json& report, protocol::Binding binding) {
  if (report.is_null()) return {};
  if (report.contains("malformed")) return "report       malformed: " + string_at(report, "malformed") + "\n";
  return "report       version " + report["version"].dump() + ", VMPL " + report["vmpl"].dump() + ", policy " +
         string_at(report, "policy") + ", signed by a " + string_at(report, "signing_key") + ", chip " +
         (report.value("simulated_chip", false) ? "attestbed-sim.." : shortened(string_at(report, "chip_id"))) +
         "\n             measurement " + shortened(string_at(report, "measurement")) + "\n             REPORT_DATA " +
         shortened(string_at(report, "report_data")) + preimage_of(binding);
}

constexpr const char* kLegend =
    "reading      sizes are whole frames and HTTP bodies; a time is the guest's since its step before,\n"
    "             or how long the broker took to answer that call\n";

// What crossing the register border cost, with --transport uart.
std::string uart_text(const GuestRun& run) {
  const auto counts = run.result.find("uart");
  if (counts == run.result.end()) return {};
  const auto count = [&](const char* name) { return counts->value(name, ordered_json()).dump(); };
  return "uart         " + count("octets") + " octets in " + count("intercepted") + " intercepted instructions of " +
         count("accesses") + " register accesses,\n             and " + count("idle_polls") +
         " polls that found nothing\n";
}

std::string names_text(const GuestRun& run) {
  const std::string attestation = string_at(run.result, "attestation");
  if (run.host_attestation.empty()) return {};
  const std::string at_guest = attestation.empty() ? "has none" : "has " + attestation;
  const std::string where =
      attestation == run.host_attestation ? " in every log" : " at proxy and broker; the guest, misled, " + at_guest;
  return "names        attestation " + run.host_attestation + where +
         (run.cookie.empty() ? ""
                             : "\n             SHA-256 of cookie " + run.cookie + ", of token " +
                                   (run.token.empty() ? "none" : run.token)) +
         "\n";
}

// Where the guest's own check failed, and on what: "SW_EXITINFO2; found INVALID_PARAM (0x16)".
std::string place_of(const ordered_json& result) {
  const std::string field = string_at(result, "field"), code = string_at(result, "code");
  for (const ErrorRow& row : error_rows()) {
    if (code != row.name) continue;
    const std::string numbers = posix::numbers_in_words(
        {row.code, "", result.value("found", std::uint64_t{0}), result.value("expected", std::uint64_t{0})});
    return numbers.empty() ? field : field + "; " + numbers;
  }
  return field;
}

// Why there is no secret, as each side tells it.
std::string refusal_text(const GuestRun& run) {
  const ordered_json& result = run.result;
  std::string text = string_at(result, "outcome") + ": " + string_at(result, "code") + ": " +
                     string_at(result, "meaning") + " (attest-guest exit " +
                     result.value("exit", ordered_json()).dump() + ")\n";
  if (const std::string place = place_of(result); !place.empty()) text += "  guest      at " + place + "\n";
  if (!run.words.empty()) text += "  it says    " + run.words + "\n";
  if (!run.proxy.is_null())
    text += "  proxy      " + string_at(run.proxy, "code") + ": " + string_at(run.proxy, "detail") + "\n";
  else if (const std::string detail = string_at(result, "detail"); !detail.empty())
    text += "  proxy      " + detail + "\n";
  for (const BrokerCall& call : run.calls) {
    if (call.judgement.is_null()) continue;
    text += "  broker     " + string_at(call.judgement, "code") + " at " + string_at(call.judgement, "field") + "\n";
    for (const char* name : {"expected", "found"}) {
      text += "             " + std::string(name) + std::string(9 - std::string_view(name).size(), ' ') +
              string_at(call.judgement, name) + "\n";
    }
  }
  return text + "  next       " + string_at(result, "remedy") + "\n";
}

std::string release_text(const GuestRun& run, ShowSecret show) {
  const ordered_json secret = run.result.value("secret", ordered_json::object());
  std::string text = "released: " + secret.value("octets", ordered_json()).dump() + " octets\n";
  if (show == ShowSecret::no || !run.secret) return text;
  text += "as the guest wrote it (not authenticated: nothing proves yet who sent it):\n" + shown(*run.secret);
  return text.back() == '\n' ? text : text + "\n";
}

ordered_json call_json(const BrokerCall& call) {
  ordered_json json = {{"request", call.request}, {"status", call.status}};
  if (call.octets_sent) json["octets_sent"] = *call.octets_sent;
  if (call.octets_received) json["octets_received"] = *call.octets_received;
  if (call.ms) json["ms"] = *call.ms;
  if (!call.fault.empty()) json["fault"] = call.fault;
  if (!call.judgement.is_null()) json["judgement"] = call.judgement;
  return json;
}

// Why there is no secret, in words: the code's meaning, and what the host said about it.
ordered_json reason_of(const GuestRun& run) {
  if (run.released()) return nullptr;
  const std::string detail = run.text("detail");
  return run.text("meaning") + (detail.empty() ? "" : "; the host says: " + detail);
}

ordered_json guest_json(const GuestRun& run, std::size_t number, ShowSecret show) {
  ordered_json json = run.result;
  json["guest"] = number;
  json["reason"] = reason_of(run);
  json["words"] = run.words.empty() ? ordered_json() : ordered_json(run.words);
  const bool same = run.host_attestation == run.text("attestation");
  json["host_attestation"] = same ? ordered_json() : ordered_json(run.host_attestation);
  json["calls"] = ordered_json::array();
  for (const BrokerCall& call : run.calls) json["calls"].push_back(call_json(call));
  json["report"] = run.report;
  json["proxy"] = run.proxy;
  json["cookie_sha256"] = run.cookie.empty() ? ordered_json() : ordered_json(run.cookie);
  json["token_sha256"] = run.token.empty() ? ordered_json() : ordered_json(run.token);
  if (show == ShowSecret::yes && run.secret && json["secret"].is_object()) json["secret"]["shown"] = shown(*run.secret);
  if (json["secret"].is_object()) json["secret"].erase("kept_in");  // a file that is gone by now
  return json;
}

}  // namespace

bool RunResult::all_released() const {
  return !guests.empty() && std::ranges::all_of(guests, &GuestRun::released);
}

int RunResult::exit() const {
  const bool noticed =
      scenario.broken == nullptr || (!guests.empty() && break_unmet(*scenario.broken, guests.front()).empty());
  if (!noticed || !std::ranges::all_of(faults, &FaultFate::happened)) return kExitCouldNotRun;
  return scenario.broken == nullptr && all_released() ? kExitOk : kExitRefused;
}

std::string run_json(const RunResult& result, ShowSecret show) {
  const BreakRow* broken = result.scenario.broken;
  const Tally tally(result.guests);
  const bool judged = broken != nullptr && !result.guests.empty();
  ordered_json json = {{"simulated", true},
                       {"exit", result.exit()},
                       {"product", result.scenario.product},
                       {"measurement", result.measurement},
                       {"resource", result.scenario.resource},
                       {"binding", binding_name(result.scenario.binding)},
                       {"key", key_type_name(result.scenario.key)},
                       {"tls", result.scenario.tls},
                       {"faults", result.scenario.faults},
                       {"faults_applied", faults_json(result.faults)},
                       {"transport", line_name(result.scenario.line)},
                       {"summary",
                        {{"guests", result.guests.size()},
                         {"released", tally.released},
                         {"refused", tally.refused},
                         {"failed", tally.failed},
                         {"wall_ms", milliseconds_of(result.guests_took)}}},
                       {"break", judged ? break_json(*broken, result.guests.front()) : ordered_json()},
                       {"guests", ordered_json::array()},
                       {"parts", ordered_json::array()},
                       {"early_ends", result.early_ends},
                       {"vm", result.vm ? vm_json(*result.vm) : ordered_json()},
                       {"kept", result.kept.empty() ? ordered_json() : ordered_json(result.kept)}};
  for (std::size_t i = 0; i < result.guests.size(); ++i) {
    json["guests"].push_back(guest_json(result.guests[i], i + 1, show));
  }
  for (const Part& part : result.parts) {
    json["parts"].push_back({{"name", part.name}, {"ready", part.ready}, {"ms", milliseconds_of(part.took)}});
  }
  return json.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

namespace {

std::string ends_text(const RunResult& result) {
  std::string text;
  for (const std::string& end : result.early_ends) text += "died early   " + end + "\n";
  text += faults_text(result.faults);
  if (!result.kept.empty()) {
    text += std::string("kept         logs, ") + (result.vm ? "console, image, firmware, QEMU's command" : "reports") +
            " and certificates in " + result.kept + "\n";
  }
  return text;
}

std::string one_guest_text(const RunResult& result, const GuestRun& run, ShowSecret show) {
  std::string text = "\n" + story_of(run, result.scenario.key, result.vm.has_value()) + "\n" +
                     report_text(run.report, result.scenario.binding) + uart_text(run) +
                     (result.vm ? vm_text(*result.vm) : "") + names_text(run) + kLegend + ends_text(result) + "\n" +
                     (run.released() ? release_text(run, show) : refusal_text(run));
  if (result.scenario.broken != nullptr) text += "\n" + break_text(*result.scenario.broken, run);
  return text;
}

std::string many_guests_text(const RunResult& result) {
  const std::string ends = ends_text(result), times = times_text(result.guests);
  return "\n" + guest_table(result.guests) + "\n" + ends + Tally(result.guests).text() + " in " +
         milliseconds(milliseconds_of(result.guests_took)) + (times.empty() ? "" : "; a guest: " + times) + "\n";
}

std::string title_of(const RunResult& result) {
  const Scenario& scenario = result.scenario;
  const std::string line =
      scenario.line == LineType::unix_socket ? "" : std::string(" over ") + line_name(scenario.line);
  if (result.vm && scenario.broken == nullptr) return "one guest in a VM" + line + ", from its boot to its secret";
  if (scenario.broken != nullptr) return "one guest" + line + ", and something is broken: " + scenario.broken->what;
  if (scenario.guests > 1) return std::to_string(scenario.guests) + " guests at once" + line;
  return "one guest" + line + ", from its first octet to its secret";
}

}  // namespace

std::string run_text(const RunResult& result, ShowSecret show) {
  std::string text = std::string(result.vm ? "attestbed vm: " : "attestbed run: ") + title_of(result) +
                     "\nSIMULATED HARDWARE: chip, firmware and keys are software and protect nothing.\n\n" +
                     parts_text(result);
  if (result.guests.size() > 1) return text + many_guests_text(result);
  for (const GuestRun& run : result.guests) text += one_guest_text(result, run, show);
  return text;
}

}  // namespace attestbed::tools
