// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_story.h"

#include "tools/attestbed/run_drawing.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

std::string string_at(const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

/// Story draws one guest's attempt as far as it came.
class Story {
 public:
  Story(const GuestRun& run, protocol::KeyType key, bool in_vm) : run_(run), key_(key), in_vm_(in_vm) {
    for (const ordered_json& phase : member("phases")) phases_[string_at(phase, "name")] = phase.value("ms", 0.0);
    for (const ordered_json& frame : member("frames")) frames_.push_back(&frame);
  }

  std::string draw() {
    if (reached("connected")) {
      drawing_.note(Lane::guest,
                    in_vm_ ? "opens /dev/sev-guest and the line" : "boots, takes VMPCK0 from its secrets page",
                    time_of("connected"));
    }
    if (reached("key"))
      drawing_.note(Lane::guest, std::string("fresh ") + key_type_name(key_) + " key pair", time_of("key"));
    frame(0, Lane::guest, Lane::proxy);
    call("POST", "auth", "challenge");
    frame(1, Lane::proxy, Lane::guest, "negotiated");
    firmware();
    frame(2, Lane::guest, Lane::proxy);
    call("POST", "attest", "token");
    call("GET", "resource", "secret");
    frame(3, Lane::proxy, Lane::guest, "answered");
    if (reached("opened"))
      drawing_.note(Lane::guest, "secret opened with the key that was attested", time_of("opened"));
    return drawing_.text();
  }

 private:
  const ordered_json& member(const char* name) const {
    static const ordered_json kNone = ordered_json::array();
    const auto found = run_.result.find(name);
    return found == run_.result.end() ? kNone : *found;
  }
  bool reached(const char* phase) const { return phases_.contains(phase); }
  std::optional<double> time_of(const char* phase) const {
    if (phase == nullptr || !reached(phase)) return std::nullopt;
    return phases_[phase].get<double>();
  }

  void frame(std::size_t index, Lane from, Lane to, const char* phase = nullptr) {
    if (index >= frames_.size()) return;
    const std::string octets = std::to_string(frames_[index]->value("octets", 0)) + " B";
    drawing_.arrow(from, to, string_at(*frames_[index], "message") + " " + octets, time_of(phase));
  }

  void call(const std::string& method, const std::string& endpoint, const std::string& answer) {
    for (const BrokerCall& call : run_.calls) {
      if (!call.request.starts_with(method + " /kbs/v0/" + endpoint)) continue;
      const auto octets = [](const std::optional<std::uint64_t>& n) {
        return n ? " " + std::to_string(*n) + " B" : "";
      };
      drawing_.arrow(Lane::proxy, Lane::broker,
                     method + " " + endpoint + (call.octets_sent == 0 ? "" : octets(call.octets_sent)));
      const std::string verdict = call.judgement.is_null() ? answer : "refused";
      drawing_.arrow(Lane::broker, Lane::proxy,
                     std::to_string(call.status) + " " + verdict + octets(call.octets_received), call.ms);
    }
  }

  void firmware() {
    const std::string code = string_at(run_.result, "code");
    if (!reached("reported") && !(reached("negotiated") && code.starts_with("firmware"))) return;
    drawing_.arrow(Lane::guest, Lane::firmware, "request");
    if (reached("reported")) drawing_.arrow(Lane::firmware, Lane::guest, "report", time_of("reported"));
  }

  const GuestRun& run_;
  const protocol::KeyType key_;
  const bool in_vm_;
  ordered_json phases_ = ordered_json::object();
  std::vector<const ordered_json*> frames_;
  SequenceDrawing drawing_;
};

}  // namespace

std::string story_of(const GuestRun& run, protocol::KeyType key, bool in_vm) {
  return Story(run, key, in_vm).draw();
}

}  // namespace attestbed::tools
