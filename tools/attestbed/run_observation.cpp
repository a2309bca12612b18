// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_observation.h"

#include "core/posix/describe.h"
#include "core/snp/report.h"
#include "guest/key_progress.h"
#include "tools/attestbed/guest_result.h"

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

// The lines of a log that are events.
std::vector<Logs::Event> events_of(const std::string& log) {
  std::vector<Logs::Event> events;
  for (std::size_t start = 0; start < log.size();) {
    const std::size_t end = std::min(log.find('\n', start), log.size());
    std::string line = log.substr(start, end - start);
    ordered_json fields = ordered_json::parse(line, nullptr, false);
    if (fields.is_object()) events.push_back({std::move(fields), std::move(line)});
    start = end + 1;
  }
  return events;
}

// An attempt that ended before there was a challenge has no id; a proxy names its peer all the same: "pid 1 uid 0".
std::string name_of(const ordered_json& event) {
  std::string name = text_at(event, "attestation");
  if (!name.empty()) return name;
  const std::string peer = text_at(event, "peer");
  return peer.substr(0, peer.find(" uid "));
}

std::multimap<std::string, const Logs::Event*> by_name(const std::vector<Logs::Event>& events) {
  std::multimap<std::string, const Logs::Event*> index;
  for (const Logs::Event& event : events) {
    if (std::string name = name_of(event.fields); !name.empty()) index.emplace(std::move(name), &event);
  }
  return index;
}

// A multimap keeps the order of what has the same key.
void collect(const std::multimap<std::string, const Logs::Event*>& index, const std::string& name,
             Logs::Events& events) {
  const auto [begin, end] = index.equal_range(name);
  for (auto at = begin; at != end; ++at) events.push_back(at->second);
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
  call.fault = text_at(request, "fault");
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

// The first line that is none of the search for an RSA key, without the name of the program.
std::string complaint_in(std::string_view words) {
  constexpr std::string_view kName = "attest-guest: ";
  while (!words.empty()) {
    std::string_view line = words.substr(0, words.find('\n'));
    words.remove_prefix(std::min(line.size() + 1, words.size()));
    if (line.starts_with(kName)) line.remove_prefix(kName.size());
    if (!line.starts_with(guest::kKeyProgress)) return std::string(line);
  }
  return {};
}

// A guest that died has no words of its own left.
ordered_json result_of(const GuestOutput& guest) {
  GuestResult read = read_guest_result(guest.result);
  if (read.wrong.empty()) return std::move(read.object);
  return {{"outcome", "failed"},
          {"exit", guest.exit.by_signal ? 128 + guest.exit.number : guest.exit.number},
          {"code", error_name(Errc::internal)},
          {"meaning", "attest-guest ended without a result: " + guest.exit.text() + "; " + read.wrong},
          {"phases", ordered_json::array()}};
}

}  // namespace

Logs::Logs(const std::string& proxy, const std::string& broker, const std::string& relay, std::string host_attestation)
    : proxy_(events_of(proxy)),
      broker_(events_of(broker)),
      relay_(events_of(relay)),
      proxy_by_name_(by_name(proxy_)),
      broker_by_name_(by_name(broker_)),
      host_attestation_(std::move(host_attestation)) {}

Logs::Events Logs::proxy(const std::string& attestation, const std::string& peer) const {
  Events events;
  if (!peer.empty()) collect(proxy_by_name_, peer, events);
  if (!attestation.empty()) collect(proxy_by_name_, attestation, events);
  return events;
}

Logs::Events Logs::broker(const std::string& attestation) const {
  Events events;
  if (!attestation.empty()) collect(broker_by_name_, attestation, events);
  return events;
}

std::string GuestRun::text(const char* member) const {
  return text_at(result, member);
}

GuestRun observe(const GuestOutput& guest, const Logs& logs) {
  GuestRun run;
  run.result = result_of(guest);
  run.secret = guest.secret;
  if (guest.report) run.report = report_facts(*guest.report);
  run.host_attestation = logs.host_attestation().empty() ? run.text("attestation") : logs.host_attestation();
  for (const Logs::Event& event : logs.relay()) {
    if (text_at(event.fields, "event") != "ended") run.complaints.push_back({"relay", event.line});
  }
  for (const Logs::Event* event : logs.broker(run.host_attestation)) {
    if (text_at(event->fields, "event") != "request") continue;
    run.calls.push_back(call_of(event->fields));
    if (std::string cookie = text_at(event->fields, "session"); !cookie.empty()) run.cookie = std::move(cookie);
    if (!run.calls.back().judgement.is_null()) run.complaints.push_back({"mock-kbs", event->line});
  }
  for (const Logs::Event* event : logs.proxy(run.host_attestation, guest.peer)) {
    const std::string what = text_at(event->fields, "event");
    add_measures(run.calls, event->fields);
    run.release_seen = run.release_seen || what == "released";
    if (what == "refused") run.proxy = event->fields;
    if (what == "refused" || what == "mismatch") run.complaints.push_back({"attest-proxy", event->line});
    if (std::string token = text_at(event->fields, "token_sha256"); !token.empty()) run.token = std::move(token);
  }
  run.words = complaint_in(guest.words);
  if (!run.words.empty()) run.complaints.push_back({"attest-guest", run.words});
  return run;
}

}  // namespace attestbed::tools
