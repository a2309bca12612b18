// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_observation.h"

#include "core/posix/describe.h"
#include "core/snp/report.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string text_at(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

template <class T>
std::optional<T> number_at(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number()) return std::nullopt;
  return member->get<T>();
}

// The lines of a log that are about this attestation.
std::vector<ordered_json> events_of(const std::string& log, const std::string& attestation) {
  std::vector<ordered_json> events;
  if (attestation.empty()) return events;
  for (std::size_t start = 0; start < log.size();) {
    const std::size_t end = std::min(log.find('\n', start), log.size());
    ordered_json event = ordered_json::parse(log.begin() + static_cast<std::ptrdiff_t>(start),
                                             log.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (event.is_object() && text_at(event, "attestation") == attestation) events.push_back(std::move(event));
    start = end + 1;
  }
  return events;
}

std::string hex_number(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

// What a simulated machine puts at the beginning of its CHIP_ID, where no guest can change it.
constexpr std::string_view kSimulatedMarker = "attestbed-sim";

ordered_json report_facts(const std::string& octets) {
  const Result<snp::RawReport> report = snp::parse_report(bytes_of(octets));
  if (!report) return {{"malformed", posix::describe(report.error())}};
  const std::uint32_t signing_key = snp::signing_key_bits(report->key_flags);
  ordered_json facts = {{"version", std::uint32_t{report->version}},
                        {"vmpl", std::uint32_t{report->vmpl}},
                        {"policy", hex_number(report->policy)},
                        {"measurement", posix::to_hex(report->measurement)},
                        {"report_data", posix::to_hex(report->report_data)},
                        {"signing_key", signing_key == 0   ? "VCEK"
                                        : signing_key == 1 ? "VLEK"
                                                           : "none"},
                        {"chip_id", posix::to_hex(report->chip_id)},
                        {"simulated_chip", text_of(report->chip_id).starts_with(kSimulatedMarker)}};
  return facts;
}

BrokerCall call_of(const ordered_json& request) {
  BrokerCall call;
  // The broker logs "POST auth"; on the wire the path is in front.
  const std::string endpoint = text_at(request, "endpoint");
  const std::size_t space = endpoint.find(' ');
  call.request = endpoint.substr(0, space) + " /kbs/v0/" + endpoint.substr(space == std::string::npos ? 0 : space + 1);
  if (const std::string resource = text_at(request, "resource"); !resource.empty()) call.request += "/" + resource;
  call.status = number_at<int>(request, "status").value_or(0);
  if (text_at(request, "verdict") == "refused") {
    for (const char* name : {"layer", "code", "field", "expected", "found"}) {
      if (const std::string text = text_at(request, name); !text.empty()) call.judgement[name] = text;
    }
  }
  return call;
}

// Which event of the proxy tells of which call.
constexpr std::pair<const char*, std::string_view> kEvents[] = {
    {"negotiated", "POST /kbs/v0/auth"}, {"attested", "POST /kbs/v0/attest"}, {"released", "GET /kbs/v0/resource"}};

void add_measures(std::vector<BrokerCall>& calls, const ordered_json& event) {
  for (const auto& [name, request] : kEvents) {
    if (text_at(event, "event") != name) continue;
    for (BrokerCall& call : calls) {
      if (!call.request.starts_with(request)) continue;
      call.octets_sent = number_at<std::uint64_t>(event, "broker_octets_sent");
      call.octets_received = number_at<std::uint64_t>(event, "broker_octets_received");
      call.ms = number_at<double>(event, "broker_ms");
    }
  }
}

// A guest that died has no words of its own left.
ordered_json result_of(const GuestOutput& guest) {
  ordered_json result = ordered_json::parse(guest.result, nullptr, false);
  if (result.is_object() && result.contains("outcome")) return result;
  return {{"outcome", "failed"},
          {"exit", guest.exit.by_signal ? 128 + guest.exit.number : guest.exit.number},
          {"code", error_name(Errc::internal)},
          {"meaning", "attest-guest ended without a result: " + guest.exit.text()}};
}

}  // namespace

bool GuestRun::released() const {
  return text_at(result, "outcome") == "released";
}

GuestRun observe(const GuestOutput& guest, const Logs& logs) {
  GuestRun run;
  run.result = result_of(guest);
  run.secret = guest.secret;
  if (guest.report) run.report = report_facts(*guest.report);
  const std::string attestation = text_at(run.result, "attestation");
  for (const ordered_json& event : events_of(logs.broker, attestation)) {
    if (text_at(event, "event") != "request") continue;
    run.calls.push_back(call_of(event));
    if (std::string cookie = text_at(event, "session"); !cookie.empty()) run.cookie = std::move(cookie);
  }
  for (const ordered_json& event : events_of(logs.proxy, attestation)) {
    add_measures(run.calls, event);
    if (text_at(event, "event") == "refused") run.proxy = event;
    if (std::string token = text_at(event, "token_sha256"); !token.empty()) run.token = std::move(token);
  }
  return run;
}

}  // namespace attestbed::tools
