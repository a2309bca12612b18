// SPDX-License-Identifier: Apache-2.0
#include "fuzz/scripted_broker.h"

#include <algorithm>
#include <new>

#include "core/protocol/frame.h"
#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

using namespace std::chrono_literals;
using proxy::Failure;
using proxy::Outcome;

const RecordedCase& chosen(Reader& script) {
  const auto octet = script.copy<ByteArray<1>>("case");
  return recorded_cases()[octet ? (*octet)[0] % recorded_cases().size() : 0];
}

std::vector<std::uint8_t> copied(Bytes octets) {
  return {octets.begin(), octets.end()};
}

// The n-th of the codes that a proxy may send.
Errc wire_code(std::size_t n) {
  std::vector<Errc> codes;
  for (const ErrorRow& row : error_rows()) {
    if (row.on_wire) codes.push_back(row.code);
  }
  return codes[n % codes.size()];
}

}  // namespace

ScriptedBroker::ScriptedBroker(Reader& script, sim::ManualClock& clock) : recorded_(chosen(script)), clock_(clock) {
  for (Step& step : steps_) {
    const auto octets = script.copy<ByteArray<3>>("broker");
    if (octets) step = {static_cast<std::uint8_t>((*octets)[0] % 5), (*octets)[1], (*octets)[2]};
  }
}

Outcome<void> ScriptedBroker::act(const Step& step, char name, Deadline until) {
  must(until != kNever, "every call to the broker has a deadline");
  calls_ += name;
  clock_.wait_until(std::min(std::max(until, clock_.now()), clock_.now() + 200ms * step.delay));
  switch (step.what) {
    case 2:
      // A broker's text may hold anything; it is for the log alone.
      return Failure{wire_code(step.size), std::string(step.size, 'd'), std::string(step.size, '\xff')};
    case 3:
      clock_.wait_until(until);
      return Failure{Errc::broker_timeout, "the broker is silent", {}};
    case 4:
      throw std::bad_alloc();
    default:
      calls_.back() = static_cast<char>(calls_.back() - 'a' + 'A');
      return {};
  }
}

Outcome<protocol::Challenge> ScriptedBroker::auth(protocol::Tee tee, Deadline until) {
  must(tee == protocol::Tee::snp, "only snp is served");
  TRY(act(steps_[0], 'a', until));
  return *protocol::Challenge::make(bytes_of(recorded_.challenge));
}

Outcome<std::string> ScriptedBroker::attest(const protocol::AttestationRequest& request, Deadline until) {
  must(!posted_, "one nonce attests once");
  posted_ = {.report = copied(request.report),
             .certs = copied(request.certs),
             .challenge = copied(request.challenge),
             .key = request.key};
  TRY(act(steps_[1], 't', until));
  token_ = steps_[1].what == 1 ? std::string(1 + std::size_t{192} * steps_[1].size, 't') : recorded_.token;
  return token_;
}

Outcome<proxy::SealedSecret> ScriptedBroker::resource(const protocol::ResourcePath& path, Deadline until) {
  path_ = path.text();
  TRY(act(steps_[2], 'r', until));
  ciphertext_ = copied(bytes_of(recorded_.ciphertext));
  if (steps_[2].what == 1) {
    ciphertext_.assign(std::min(std::size_t{130} * steps_[2].size, protocol::kMaxCiphertextBytes), 0x5a);
  }
  return proxy::SealedSecret{
      .protected_header = recorded_.aad,
      .epk = *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(recorded_.epk_x), bytes_of(recorded_.epk_y), "epk"),
      .wrapped_cek = fixed<crypto::WrappedKey>(recorded_.wrapped_cek),
      .iv = fixed<crypto::GcmIv>(recorded_.iv),
      .tag = fixed<crypto::GcmTag>(recorded_.tag),
      .ciphertext = ciphertext_};
}

}  // namespace attestbed::fuzz
