// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_tamper.h"

#include "core/base/base64.h"
#include "core/crypto/ecdh.h"
#include "core/posix/clock.h"
#include "core/protocol/frame.h"
#include "core/snp/report.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

// nlohmann's text of a frame of at most 64 KiB: its depth is bounded by its length, and nothing is thrown.
ordered_json parsed(const std::string& body) {
  ordered_json message = ordered_json::parse(body, nullptr, false);
  return message.is_object() ? message : ordered_json::object();
}

std::optional<std::string> octets_of_text(const ordered_json& text) {
  if (!text.is_string()) return std::nullopt;
  const auto& encoded = text.get_ref<const std::string&>();
  std::string octets(base64_max_decoded_size(encoded.size()), '\0');
  const Result<MutBytes> decoded = base64_decode(
      Base64::standard, bytes_of(encoded), {reinterpret_cast<std::uint8_t*>(octets.data()), octets.size()}, "field");
  if (!decoded) return std::nullopt;
  octets.resize(decoded->size());
  return octets;
}

std::string text_of_octets(std::string_view octets) {
  std::string text(base64_encoded_size(Base64::standard, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(Base64::standard, bytes_of(octets), out);
  return text;
}

// The lowest bit, so that an integer stays in its range.
bool flip_bit(ordered_json& text, std::size_t at) {
  std::optional<std::string> octets = octets_of_text(text);
  if (!octets || octets->size() <= at) return false;
  (*octets)[at] = static_cast<char>((*octets)[at] ^ 1);
  text = text_of_octets(*octets);
  return true;
}

std::optional<crypto::EcPoint> fresh_point() {
  crypto::EcKey key;
  posix::KernelEntropy entropy;
  if (!key.generate(crypto::Curve::p521, entropy)) return std::nullopt;
  return key.point();
}

bool choose_params(ordered_json& message) {
  const std::optional<std::string> nonce = octets_of_text(message["challenge"]);
  const std::optional<crypto::EcPoint> host = fresh_point();
  if (!nonce || !host) return false;
  message["params"] = {"Challenge"};
  message["challenge"] = text_of_octets(std::string(text_of(host->x())) + std::string(text_of(host->y())) + *nonce);
  return true;
}

bool replace_key(ordered_json& message) {
  const std::optional<crypto::EcPoint> other = fresh_point();
  if (!other || !message["key"].is_object()) return false;
  message["key"]["x"] = text_of_octets(text_of(other->x()));
  message["key"]["y"] = text_of_octets(text_of(other->y()));
  return true;
}

bool flip_signature(ordered_json& message) {
  static const ordered_json::json_pointer kReport("/evidence/Snp/report");
  return message.contains(kReport) && flip_bit(message[kReport], offsetof(snp::RawReport, signature));
}

/// Trick is one way to tamper: with which message, which is known by its sender and one of its members.
struct Trick {
  Tamper how;
  Sender from;
  const char* member;
  const char* message;
  const char* field;
  const char* done;
  bool (*apply)(ordered_json& message);
};

constexpr Trick kTricks[] = {
    {Tamper::challenge, Sender::host, "challenge", "NegotiationResponse", "challenge", "one bit flipped",
     [](ordered_json& message) { return flip_bit(message["challenge"], 0); }},
    {Tamper::params, Sender::host, "challenge", "NegotiationResponse", "params, challenge",
     "params [\"Challenge\"], challenge = a key of the host's and the nonce", choose_params},
    {Tamper::key, Sender::guest, "key", "AttestationRequest", "key", "replaced by another valid key", replace_key},
    {Tamper::signature, Sender::guest, "evidence", "AttestationRequest", "evidence.Snp.report, SIGNATURE",
     "one bit flipped", flip_signature},
    {Tamper::ciphertext, Sender::host, "secret", "AttestationResponse", "secret", "one bit flipped",
     [](ordered_json& message) { return flip_bit(message["secret"], 0); }},
};

}  // namespace

std::optional<Tampered> tamper_with(Tamper how, Sender from, const std::string& body) {
  for (const Trick& trick : kTricks) {
    if (trick.how != how || trick.from != from) continue;
    ordered_json message = parsed(body);
    if (!message.contains(trick.member) || !trick.apply(message)) return std::nullopt;
    std::string changed = message.dump();
    if (changed.size() > protocol::kMaxFrameBytes) return std::nullopt;
    return Tampered{std::move(changed), {{"message", trick.message}, {"field", trick.field}, {"done", trick.done}}};
  }
  return std::nullopt;
}

bool is_negotiation_response(Sender from, const std::string& body) {
  return from == Sender::host && parsed(body).contains("challenge");
}

std::string attestation_of(const std::string& body) {
  const std::optional<std::string> octets = octets_of_text(parsed(body).value("challenge", ordered_json()));
  if (!octets) return {};
  const Result<protocol::Challenge> challenge = protocol::Challenge::make(bytes_of(*octets));
  if (!challenge) return {};
  const Result<protocol::AttestationId> id = protocol::attestation_id(*challenge);
  return id ? std::string(id->text()) : std::string();
}

}  // namespace attestbed::tools
