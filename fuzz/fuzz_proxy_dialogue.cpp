// SPDX-License-Identifier: Apache-2.0
// Property: whatever a guest sends and a broker answers, a proxy's attempt is over within budget and refusal budget;
// what it writes are whole frames that a guest's decoder reads, the last one either the secret or, unless the line
// broke, the one error; the broker is asked in order, once, with the guest's own octets, for a path that the guest may
// have; and the line is in step exactly if every frame was whole.
// Input: budget:1 refusal:1, then the scripts of the broker (scripted_broker.h), of the trouble with writing, and of
// the guest (scripted_line.h). The guest's frames, by `which` modulo 4:
//   0 n:1  the recorded NegotiationRequest of case n      1 n:1  one that states path n of kPaths
//   2 n:1  the recorded AttestationRequest of case n      3 n:1  the same of the first case, with 64 n octets of
//                                                                certificates
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

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

proxy::SessionConfig config_of(const ByteArray<2>& octets) {
  proxy::SessionConfig config;
  for (const char* path : {kPaths[0], kPaths[1], kPaths[2]}) {
    config.allowed.push_back(*protocol::ResourcePath::parse(path, "allowed"));
  }
  config.budget = std::chrono::seconds(1 + octets[0] % 64U);
  config.refusal_budget = std::chrono::seconds(1 + octets[1] % 8U);
  return config;
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
  Run(const ByteArray<2>& setting, Reader script)
      : config_(config_of(setting)), broker_(script, clock_), line_(make_line(script)) {}

  void check() {
    const std::atomic<bool> cancelled = false;
    proxy::SessionLog log(1, "fuzz");
    const Deadline until = clock_.now() + config_.budget + config_.refusal_budget;
    const LineState state = proxy::serve_attempt(line_, broker_, config_, clock_, cancelled, log);
    must(clock_.now() <= until, "an attempt is over within budget and refusal budget");
    heard_ = fuzz::frames_in(line_.delivered());
    check_written();
    check_broker();
    const bool whole = !line_.read_failed() && !line_.write_failed() && heard_.rest.empty();
    must((state == LineState::in_step) == whole, "a line is in step exactly if every frame was whole");
  }

 private:
  fuzz::ScriptedLine make_line(Reader& script) {
    const auto trouble = fuzz::ScriptedLine::read_trouble(script);
    return {script, trouble, clock_, guest_frame};
  }

  void check_written() const {
    fuzz::Frames said = fuzz::frames_in(line_.written());
    must(said.rest.empty() || line_.write_failed(), "a proxy writes whole frames");
    must(said.bodies.size() <= 2, "each message has at most one answer");
    if (line_.delivered().empty() && said.bodies.empty()) return;
    bool ended = false;
    if (!said.bodies.empty()) ended = check_negotiation(said.bodies[0]);
    must(!ended || said.bodies.size() == 1, "nothing follows an error");
    if (said.bodies.size() == 2) {
      check_attestation(said.bodies[1]);
      ended = true;
    }
    must(ended || line_.write_failed(), "every attempt ends with a secret or an error");
  }

  static MutBytes in_place(std::string& text) { return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}; }

  bool check_negotiation(std::string body) const {
    const std::string text = body;
    const auto response = protocol::decode_negotiation_response(in_place(body), nullptr);
    must(bool(response), "a guest can read the NegotiationResponse");
    if (response->error) {
      check_error(text, response->error, protocol::Phase::negotiation);
      return true;
    }
    must(text_of(response->challenge->octets()) == broker_.recorded().challenge, "the challenge is the broker's");
    must(broker_.calls().starts_with('A'), "and was asked for");
    const json request = json::parse(heard_.bodies.at(0), nullptr, false);
    if (!request.is_discarded() && request.contains("ext")) {
      for (const char* term : {"binding", "key", "resource"}) {
        must(json::parse(text)["ext"]["accepted"][term] == request["ext"][term], "the terms are echoed");
      }
    }
    return false;
  }

  void check_attestation(std::string body) const {
    const std::string text = body;
    const auto response = protocol::decode_attestation_response(in_place(body), crypto::Curve::p521);
    must(bool(response), "a guest can read the AttestationResponse");
    if (response->error) return check_error(text, response->error, protocol::Phase::attestation);
    must(response->success && broker_.calls() == "ATR", "a success is the broker's");
    must(std::ranges::equal(*response->secret, broker_.ciphertext()), "the secret is as the broker sealed it");
    must(text_of(response->decryption->aad) == broker_.recorded().aad, "under its header");
    must(!response->token || response->token->text == broker_.token(), "with its token");
  }

  void check_broker() const {
    must(std::string_view("atr").size() >= broker_.calls().size(), "the broker is asked once for each thing");
    const std::string& calls = broker_.calls();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      must(std::tolower(calls[i]) == "atr"[i], "in this order");
      must(i + 1 == calls.size() || calls[i] == "ATR"[i], "and not after a failure");
    }
    if (calls.empty()) return;
    const json hello = json::parse(heard_.bodies.at(0), nullptr, false);
    const bool states = hello.contains("ext");
    if (!hello.is_discarded() && !broker_.path().empty()) {
      must(broker_.path() == (states ? hello["ext"]["resource"].get<std::string>() : kPaths[0]), "the guest's path");
      must(std::find(kPaths, kPaths + 3, broker_.path()) != kPaths + 3, "which is allowed");
    }
    if (!broker_.posted()) return;
    const json request = json::parse(heard_.bodies.at(1), nullptr, false);
    if (request.is_discarded()) return;
    const auto& posted = *broker_.posted();
    const auto same = [](const json& text, Bytes octets) {
      return text == fuzz::base64_text(Base64::standard, octets);
    };
    must(same(request["evidence"]["Snp"]["report"], posted.report), "the report is the guest's");
    must(same(request["challenge"], posted.challenge), "so is the challenge");
    must(same(request["key"]["x"], posted.key.x()) && same(request["key"]["y"], posted.key.y()), "so is the key");
    const json certs = request["evidence"]["Snp"].value("certs_buf", json(""));
    must(same(certs, posted.certs), "so are the certificates");
  }

  const proxy::SessionConfig config_;
  sim::ManualClock clock_;
  fuzz::ScriptedBroker broker_;
  fuzz::ScriptedLine line_;
  fuzz::Frames heard_;
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
