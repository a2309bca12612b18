// SPDX-License-Identifier: Apache-2.0
// Property: whatever a guest sends and a broker answers, a proxy's attempt is over within budget and refusal budget; it
// writes whole frames that a guest's decoder reads, one for each that it heard, the last one the secret or, unless the
// line broke, the one error; on serial lines a repeated request has the same answer, and another one another session;
// each session at the broker is asked in order, once, with the guest's own octets, for a path that the guest may have;
// and the line is in step exactly if every frame was whole.
// Input: budget:1 (bit 6: serial line) refusal:1 (from bit 3: attempts), then the scripts of the broker
// (scripted_broker.h), of the trouble with writing, and of the guest (scripted_line.h). The guest's frames, by `which`
// modulo 4:
//   0 n:1  the recorded NegotiationRequest of case n      1 n:1  one that states path n of kPaths
//   2 n:1  the recorded AttestationRequest of case n      3 n:1  the same of the first case, with 64 n octets of
//                                                                certificates
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/wire.h"
#include "core/protocol/frame.h"
#include "fuzz/header_oracle.h"
#include "fuzz/must.h"
#include "fuzz/scripted_broker.h"
#include "fuzz/scripted_line.h"
#include "proxy/session.h"

using namespace attestbed;
using fuzz::must;
using nlohmann::json;
using proxy::LineState;

namespace {

// The first three are allowed, the first is for guests that state none.
constexpr const char* kPaths[] = {"default/sample/test", "tenant-1/disk/root.key", "a/b/c", "default/sample/other"};

std::string guest_frame(std::uint8_t which, Reader& operands) {
  const auto octet = operands.copy<ByteArray<1>>("operand");
  const std::size_t n = octet ? (*octet)[0] : 0;
  const auto& cases = fuzz::recorded_cases();
  switch (which % 4) {
    case 0:
      return cases[n % cases.size()].negotiation_request;
    case 1:
      return R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-521","resource":")" +
             std::string(kPaths[n % std::size(kPaths)]) + "\"}}";
    case 2:
      return cases[n % cases.size()].attestation_request;
    default: {
      json request = json::parse(cases[0].attestation_request);
      request["evidence"]["Snp"]["certs_buf"] = fuzz::base64_text(Base64::standard, fuzz::Octets(64 * n, 0xc5));
      return request.dump();
    }
  }
}

struct Setting {
  proxy::SessionConfig session;
  bool serial;
  std::size_t attempts;
};

Setting setting_of(const ByteArray<2>& octets) {
  Setting setting{.session = {}, .serial = (octets[0] & 64U) != 0, .attempts = std::size_t{1} + octets[1] / 8U};
  for (const char* path : {kPaths[0], kPaths[1], kPaths[2]}) {
    setting.session.allowed.push_back(*protocol::ResourcePath::parse(path, "allowed"));
  }
  setting.session.budget = std::chrono::seconds(1 + octets[0] % 64U);
  setting.session.refusal_budget = std::chrono::seconds(1 + octets[1] % 8U);
  return setting;
}

// Where a serial line's first frame begins: eight octets that are a length in 2..65536, then a brace.
std::size_t noise_before(const fuzz::Octets& stream) {
  for (std::size_t at = 0; at + 9 <= stream.size(); ++at) {
    le64 length;
    std::memcpy(&length, stream.data() + at, sizeof length);
    if (length >= 2 && length <= protocol::kMaxFrameBytes && stream[at + 8] == '{') return at;
  }
  return stream.size();
}

// An error frame, as a guest without terms reads it, says nothing else and names a code that a proxy may send.
void check_error(const std::string& body, const std::optional<protocol::HostError>& error, protocol::Phase phase) {
  const json text = json::parse(body);
  must(error && error->phase == phase, "an error names the phase it ends");
  must(wire_error_named(text["ext"]["error"]["code"].get<std::string>()) != nullptr, "under a code for the wire");
  must(text["ext"]["error"]["detail"] == std::string(error->detail()), "its detail is printable, at most 200 octets");
}

class Run {
 public:
  Run(const ByteArray<2>& octets, Reader script)
      : setting_(setting_of(octets)), broker_(script), line_(make_line(script)) {}

  void check() {
    const std::atomic<bool> cancelled = false;
    proxy::SessionLog log(1, "fuzz");
    // On a serial line the server has found the first frame, and taken an attempt for it.
    protocol::FrameStart start;
    if (setting_.serial) {
      const auto found = protocol::find_frame(line_, clock_.now() + setting_.session.budget);
      if (!found) return;
      start = *found;
    }
    std::size_t left = setting_.attempts - (setting_.serial ? 1U : 0U);
    const proxy::LineRules rules{.kind = setting_.serial ? LineKind::serial : LineKind::connected,
                                 .start = start,
                                 .take_attempt = [&left] { return left > 0 && left-- > 0; },
                                 .open_broker = [this] { return open(); }};
    const Instant began = clock_.now();
    const auto first = open();
    const LineState state = proxy::serve_attempt(line_, *first, setting_.session, clock_, cancelled, log, rules);

    const fuzz::Octets& octets = line_.delivered();
    const std::size_t noise = setting_.serial ? noise_before(octets) : 0;
    heard_ = fuzz::frames_in({octets.begin() + static_cast<std::ptrdiff_t>(noise), octets.end()});
    said_ = fuzz::frames_in(line_.written());
    // Noise has a budget of its own on a serial line, and so has every request that comes again.
    const auto budgets = setting_.serial ? static_cast<int>(heard_.bodies.size()) + 2 : 1;
    must(clock_.now() - began <= budgets * setting_.session.budget + setting_.session.refusal_budget,
         "an attempt is over within budget and refusal budget");
    check_written();
    for (const auto& record : records_) check_broker(record);
    const bool whole = !line_.read_failed() && !line_.write_failed() && heard_.rest.empty() && !heard_.bodies.empty();
    // With a refusal a serial line loses what waits on it, cut anywhere: the next attempt looks for its first frame.
    const bool dropped = setting_.serial && !said_.bodies.empty() && was_refusal(said_.bodies.back());
    must((state == LineState::in_step) == whole || dropped, "a line is in step exactly if every frame was whole");
  }

 private:
  fuzz::ScriptedLine make_line(Reader& script) {
    const auto trouble = fuzz::ScriptedLine::read_trouble(script);
    return {script, trouble, clock_, guest_frame};
  }
  std::unique_ptr<proxy::BrokerSession> open() {
    const std::size_t session = records_.size();
    return std::make_unique<fuzz::ScriptedBroker>(broker_, session, records_.emplace_back(), clock_);
  }

  static bool was_refusal(const std::string& body) {
    const json said = json::parse(body);
    return said.contains("ext") && said["ext"].contains("error");
  }
  static MutBytes in_place(std::string& text) { return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}; }

  void check_written() const {
    const auto& said = said_.bodies;
    must(said_.rest.empty() || line_.write_failed(), "a proxy writes whole frames");
    must(said.size() <= heard_.bodies.size() + 1, "each message has at most one answer");
    must(setting_.serial || said.size() <= 2, "there are two messages");
    std::size_t session = 0;
    for (std::size_t i = 0; i < said.size(); ++i) {
      if (json::parse(said[i]).contains("challenge")) {
        const bool again = i > 0 && heard_.bodies.at(i) == heard_.bodies.at(i - 1);
        if (i > 0 && !again) ++session;
        must(!again || said[i] == said[i - 1], "a repeated request has the same answer, octet for octet");
        check_challenge(said[i], heard_.bodies.at(i), session);
        must(i < setting_.attempts || !setting_.serial, "no more attempts are served than the line has");
      } else {
        check_end(said[i]);
        must(i + 1 == said.size() && said_.rest.empty(), "nothing follows the end");
        return;
      }
    }
    const bool none = setting_.serial ? heard_.bodies.empty() : line_.delivered().empty();
    must(none || line_.write_failed(), "every attempt ends with a secret or an error");
  }

  void check_challenge(std::string body, const std::string& asked, std::size_t session) const {
    const json text = json::parse(body);
    const auto response = protocol::decode_negotiation_response(in_place(body), nullptr);
    must(response && response->challenge, "a guest can read the NegotiationResponse");
    const auto& record = records_.at(session);
    must(text_of(response->challenge->octets()) == record.recorded->challenge, "the challenge is the broker's");
    must(record.calls.starts_with('A'), "and was asked for");
    const json request = json::parse(asked, nullptr, false);
    if (request.is_discarded() || !request.contains("ext")) return;
    for (const char* term : {"binding", "key", "resource"}) {
      must(text["ext"]["accepted"][term] == request["ext"][term], "the terms are echoed");
    }
  }

  // The last frame: a refusal of either phase, or the secret.
  void check_end(std::string body) const {
    const std::string text = body;
    if (!json::parse(text).contains("success")) {
      const auto response = protocol::decode_negotiation_response(in_place(body), nullptr);
      must(bool(response), "a guest can read the NegotiationResponse");
      must(said_.bodies.size() == 1 || setting_.serial, "the first phase ends once");
      return check_error(text, response->error, protocol::Phase::negotiation);
    }
    const auto response = protocol::decode_attestation_response(in_place(body), protocol::KeyType::p521);
    must(bool(response), "a guest can read the AttestationResponse");
    must(said_.bodies.size() > 1, "which comes second");
    if (response->error) return check_error(text, response->error, protocol::Phase::attestation);
    const auto& record = records_.back();
    must(response->success && record.calls == "ATR", "a success is the broker's");
    must(std::ranges::equal(*response->secret, record.ciphertext), "the secret is as the broker sealed it");
    must(text_of(response->decryption->aad) == record.recorded->aad, "under its header");
    must(!response->token || response->token->text == record.token, "with its token");
  }

  // How many requests were answered with a challenge: the AttestationRequest is the one after them. What follows that
  // one was dropped with a refusal.
  std::size_t challenges() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        said_.bodies, [](const std::string& body) { return json::parse(body).contains("challenge"); }));
  }

  void check_broker(const fuzz::BrokerRecord& record) const {
    constexpr std::string_view kOrder = "atr", kDone = "ATR";
    must(record.calls.size() <= kOrder.size(), "the broker is asked once for each thing");
    for (std::size_t i = 0; i < record.calls.size(); ++i) {
      const bool last = i + 1 == record.calls.size();
      must(record.calls[i] == kDone[i] || (last && record.calls[i] == kOrder[i]), "in order, not after a failure");
    }
    if (!record.path.empty()) check_path(record.path);
    if (!record.posted) return;
    must(&record == &records_.back(), "only the last session attests");
    const json request = json::parse(heard_.bodies.at(challenges()), nullptr, false);
    if (request.is_discarded()) return;  // a number beyond double in a member that means nothing
    const auto same = [](const json& text, Bytes octets) {
      return text == fuzz::base64_text(Base64::standard, octets);
    };
    const auto& posted = *record.posted;
    must(same(request["evidence"]["Snp"]["report"], posted.report), "the report is the guest's");
    must(same(request["challenge"], posted.challenge), "so is the challenge");
    must(same(request["key"]["x"], posted.key.ec.x()) && same(request["key"]["y"], posted.key.ec.y()), "so is the key");
    must(same(request["evidence"]["Snp"].value("certs_buf", json("")), posted.certs), "so are the certificates");
  }

  void check_path(const std::string& path) const {
    must(std::find(kPaths, kPaths + 3, path) != kPaths + 3, "a path that is allowed");
    const json hello = json::parse(heard_.bodies.at(challenges() - 1), nullptr, false);
    if (hello.is_discarded()) return;
    must(path == (hello.contains("ext") ? hello["ext"]["resource"].get<std::string>() : kPaths[0]), "the guest's own");
  }

  const Setting setting_;
  sim::ManualClock clock_;
  const fuzz::BrokerScript broker_;
  std::deque<fuzz::BrokerRecord> records_;
  fuzz::ScriptedLine line_;
  fuzz::Frames heard_, said_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The log is written in full, to nowhere.
  static const bool quiet = [] {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("fuzz", std::make_shared<spdlog::sinks::null_sink_st>()));
    return true;
  }();
  static_cast<void>(quiet);
  Reader input(Bytes(data, size));
  const auto setting = input.copy<ByteArray<2>>("setting");
  if (setting) std::make_unique<Run>(*setting, input)->check();
  return 0;
}
