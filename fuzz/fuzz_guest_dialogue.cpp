// SPDX-License-Identifier: Apache-2.0
// Property: whatever its host and the way to its firmware do, a guest's attempt is over by its deadline; its key leaves
// it only after a NegotiationResponse with the fixed params, at most once; the firmware binds that key and that
// challenge; nothing is released but what was sealed to that key under the right header; every failure has a guest's
// exit, nothing is sent after it, and the trace tells what happened.
// Input: setting:1 (bits: stated terms, empty secrets, certificates, serial line) key:1 budget:1, then the scripts of
// the firmware (scripted_firmware.h), of the trouble with writing, and of the host (scripted_line.h, frames:
// hostile_host.h).
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/attest.h"
#include "core/crypto/sha2.h"
#include "core/snp/guest_channel.h"
#include "fuzz/header_oracle.h"
#include "fuzz/hostile_host.h"
#include "fuzz/must.h"
#include "fuzz/recorded_cases.h"
#include "fuzz/scripted_firmware.h"

using namespace attestbed;
using fuzz::must;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct Setting {
  bool states_terms, allows_empty, gives_certs, serial;
  std::uint8_t key;
  std::chrono::seconds budget;
};

Result<Setting> read_setting(Reader& input) {
  const auto octets = TRY(input.copy<ByteArray<3>>("setting"));
  const unsigned bits = octets[0];
  return Setting{.states_terms = (bits & 1U) != 0,
                 .allows_empty = (bits & 2U) != 0,
                 .gives_certs = (bits & 4U) != 0,
                 .serial = (bits & 8U) != 0,
                 .key = octets[1],
                 .budget = std::chrono::seconds(1 + octets[2] % 64U)};
}

// The guest's key: a recorded one, so that recorded answers open; one that nobody knows; or randomness that fails.
class ChosenEntropy final : public Entropy {
 public:
  explicit ChosenEntropy(std::uint8_t choice) : choice_(choice % (fuzz::recorded_cases().size() + 3)) {}
  Status fill(MutBytes into) override {
    const auto& cases = fuzz::recorded_cases();
    if (choice_ == cases.size()) return Error{Errc::io_failed, "ChosenEntropy"};
    std::ranges::fill(into, choice_ == cases.size() + 1 ? std::uint8_t{0} : std::uint8_t{1});
    if (choice_ < cases.size()) std::ranges::copy(bytes_of(cases[choice_].scalar), into.begin());
    return ok();
  }
  // Whether a recorded answer to this key holds the secret; several cases have the same key.
  bool recorded(std::string_view secret) const {
    const auto& cases = fuzz::recorded_cases();
    return choice_ < cases.size() && std::ranges::any_of(cases, [&](const fuzz::RecordedCase& one) {
             return one.scalar == cases[choice_].scalar && one.plaintext == secret;
           });
  }

 private:
  std::size_t choice_;
};

class WithCerts final : public ReportProvider {
 public:
  WithCerts(ReportProvider& next, bool gives) : next_(next), certs_(gives ? protocol::kMaxCertsBytes : 0) {}
  Result<Evidence> report(const snp::ReportData& data, Deadline until) override {
    Evidence evidence = TRY(next_.report(data, until));
    evidence.certs = certs_;
    return evidence;
  }

 private:
  ReportProvider& next_;
  fuzz::Octets certs_;
};

// One attempt and everything that was seen of it.
class Run {
 public:
  Run(const Setting& setting, Reader script)
      : setting_(setting),
        entropy_(setting.key),
        host_(terms()),
        firmware_(key_, script, clock_),
        line_(make_line(script)) {
    config_.secret_auth = SecretAuth::none;
    config_.line = setting.serial ? LineKind::serial : LineKind::connected;
    config_.terms = setting.states_terms ? terms() : protocol::Terms{};
    config_.allow_empty_secret = setting.allows_empty;
    config_.budget = setting.budget;
  }

  void check() {
    snp::GuestChannel channel(snp::Vmpck(key_.expose()), firmware_, clock_, pages_, {});
    WithCerts reports(channel, setting_.gives_certs);
    const Deadline until = clock_.now() + setting_.budget;
    const Result<Released> released = attest({line_, reports, entropy_, clock_}, config_, *workspace_);
    // On a serial line a guest that lost step is silent for a while before it returns.
    const bool silence = setting_.serial && !released && !workspace_->trace.in_step;
    must(clock_.now() <= until + (silence ? protocol::kGuestSilenceAfter : 0s), "an attempt is over by its deadline");
    check_sent();
    check_trace(released);
    if (released) {
      check_released(*released);
    } else {
      check_failure(released.error());
    }
  }

 private:
  static protocol::Terms terms() {
    protocol::Terms stated;
    stated.resource = *protocol::ResourcePath::parse("tenant-1/disk/root.key", "stated");
    return stated;
  }
  fuzz::ScriptedLine make_line(Reader& script) {
    const auto trouble = fuzz::ScriptedLine::read_trouble(script);
    return {script, trouble, clock_,
            [this](std::uint8_t which, Reader& operands) { return host_.frame(which, operands, line_.written()); }};
  }
  std::string hello() const {
    return setting_.states_terms ? R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-521",)"
                                   R"("resource":"tenant-1/disk/root.key"}})"
                                 : R"({"version":[0,1,0],"tee":"snp"})";
  }

  // What the guest heard since it first spoke: on a serial line that comes after what it dropped.
  fuzz::Frames heard() const {
    const std::size_t dropped = line_.writes_at().empty() ? line_.delivered().size() : line_.writes_at().front();
    must(setting_.serial || dropped == 0, "a guest speaks first");
    return fuzz::frames_in({line_.delivered().begin() + static_cast<std::ptrdiff_t>(dropped), line_.delivered().end()});
  }

  // The host's first frame, if it lets the guest go on.
  std::optional<json> go_ahead() const {
    const fuzz::Frames heard = this->heard();
    if (heard.bodies.empty()) return std::nullopt;
    const json answer = json::parse(heard.bodies[0], nullptr, false);
    if (answer.is_discarded()) return answer;  // a number beyond double somewhere: nlohmann cannot judge
    const bool fixed = answer.value("params", json()) == json({"EcPublicKeyBytes", "Challenge"});
    const bool refused = answer.contains("ext") && answer["ext"].contains("error");
    if (!fixed || refused || !answer.contains("challenge") || !answer["challenge"].is_string()) return std::nullopt;
    const std::size_t size = answer["challenge"].get_ref<const std::string&>().size();
    if (size < 24 || size > 88) return std::nullopt;  // 16 and 64 octets in base64
    const json accepted = {{"binding", "svsm-sha512"}, {"key", "P-521"}, {"resource", "tenant-1/disk/root.key"}};
    if (setting_.states_terms) {
      for (const auto& term : accepted.items()) {
        if (answer["ext"]["accepted"].value(term.key(), json()) != term.value()) return std::nullopt;
      }
    }
    return answer;
  }

  void check_sent() const {
    const fuzz::Frames sent = fuzz::frames_in(line_.written());
    const std::string text = hello();
    const std::size_t hellos = workspace_->trace.negotiation_requests;
    must(sent.rest.empty() || line_.write_failed(), "a guest sends whole frames");
    const auto most = setting_.serial ? static_cast<std::size_t>(1 + setting_.budget / protocol::kRepeatAfter) : 1;
    must(hellos <= most, "it repeats itself now and then");
    must(hellos <= sent.bodies.size() && sent.bodies.size() <= hellos + 1, "at most one AttestationRequest leaves");
    for (std::size_t i = 0; i < hellos; ++i) must(sent.bodies[i] == text, "a repetition is the same, octet for octet");
    must(firmware_.asked().size() <= 1, "one report is asked for");

    // A NegotiationRequest of which only a part could be written is no key either.
    const std::size_t before = hellos * (protocol::kFramePrefixBytes + text.size());
    const Bytes rest = Bytes(line_.written()).subspan(before);
    const bool key_left = !rest.empty() && rest[0] != static_cast<std::uint8_t>(text.size());
    if (!key_left && firmware_.asked().empty()) return;
    const std::optional<json> answer = go_ahead();
    must(answer.has_value(), "the key is used only after a NegotiationResponse with the fixed params");
    must(workspace_->trace.challenge.has_value(), "the challenge is known by then");
    const Bytes challenge = workspace_->trace.challenge->octets();
    const auto& key = workspace_->key.ec.point();
    const auto bound = crypto::sha512({key.x(), key.y(), challenge});
    for (const auto& data : firmware_.asked()) must(data == *bound, "REPORT_DATA binds this key and this challenge");
    must(!key_left || !firmware_.asked().empty(), "the key leaves after the report was asked for");
    if (sent.bodies.size() == hellos) return;
    const json request = json::parse(sent.bodies.back());
    must(answer->is_discarded() || request.at("challenge") == answer->at("challenge"),
         "the host's challenge is echoed");
    must(request["key"]["x"] == fuzz::base64_text(Base64::standard, key.x()), "the key is the guest's");
    must(request["evidence"]["Snp"].contains("certs_buf") == setting_.gives_certs, "certificates are passed on");
  }

  void check_trace(const Result<Released>& released) const {
    const AttestTrace& trace = workspace_->trace;
    const auto reached = static_cast<std::size_t>(trace.reached);
    must(std::is_sorted(trace.at.begin(), trace.at.begin() + static_cast<std::ptrdiff_t>(reached) + 1),
         "steps follow each other");
    must(released.has_value() == (trace.reached == AttestStep::opened), "the last step is success");
    must(trace.challenge.has_value() == (trace.reached >= AttestStep::negotiated), "who negotiated has a challenge");
    must(trace.reached < AttestStep::reported || trace.report_data.has_value(), "who has a report asked for it");
    must(trace.octets_received <= line_.delivered().size(), "no octet is counted that was not read");
    must(line_.write_failed() || trace.octets_sent == line_.written().size(), "every octet sent is counted");
    if (trace.host_error) {
      must(!released && released.error().code == trace.host_error->code, "the host's refusal ends the attempt");
      must(error_row(trace.host_error->code).on_wire, "under a code that a host may send");
    }
  }

  void check_released(const Released& released) const {
    const fuzz::Frames heard = this->heard();
    const std::size_t crossed = workspace_->trace.negotiation_requests - 1;
    must(heard.bodies.size() >= 2 && heard.bodies.size() <= 2 + crossed, "two answers release a secret");
    must(heard.rest.empty() && workspace_->trace.in_step, "and whole ones");
    for (std::size_t i = 1; i + 1 < heard.bodies.size(); ++i) {
      const json first = json::parse(heard.bodies[0], nullptr, false),
                 again = json::parse(heard.bodies[i], nullptr, false);
      must(first.is_discarded() || again.is_discarded() || first["challenge"] == again["challenge"],
           "what is dropped between them are answers to a repetition");
    }
    must(!released.secret.empty() || setting_.allows_empty, "no secret is empty unless that is allowed");
    must(!released.authenticated, "nobody signed it");
    const std::string_view secret = text_of(released.secret);
    if (entropy_.recorded(secret)) return;
    const bool sealed = std::ranges::any_of(host_.sealed(), [&](const fuzz::SealedFor& one) {
      return one.guest == workspace_->key.ec.point() && one.secret == secret &&
             fuzz::may_be_accepted(one.header, &one.epk);
    });
    must(sealed, "what is released was sealed to this key under the right header");
  }

  static void check_failure(const Error& error) {
    switch (error_row(error.code).guest_exit) {
      case 1:
      case 3:
      case 4:
      case 5:
        return;
      default:
        must(false, "every failure of an attempt has a guest's exit");
    }
  }

  const Setting setting_;
  const snp::Vmpck key_{ByteArray<32>{1, 2, 3}};  // any key will do: both ends know it
  sim::ManualClock clock_;
  ChosenEntropy entropy_;
  fuzz::HostileHost host_;
  fuzz::ScriptedFirmware firmware_;
  fuzz::ScriptedLine line_;
  snp::ChannelPages pages_{};
  AttestConfig config_;
  std::unique_ptr<Workspace> workspace_ = std::make_unique<Workspace>();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader input(Bytes(data, size));
  const Result<Setting> setting = read_setting(input);
  if (setting) std::make_unique<Run>(*setting, input)->check();
  return 0;
}
