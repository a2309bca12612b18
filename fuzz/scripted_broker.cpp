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

BrokerScript::BrokerScript(Reader& script) {
  const auto octet = script.copy<ByteArray<1>>("case");
  if (octet) first_case = (*octet)[0];
  for (Step& step : steps) {
    const auto octets = script.copy<ByteArray<3>>("broker");
    if (octets) step = {static_cast<std::uint8_t>((*octets)[0] % 5), (*octets)[1], (*octets)[2]};
  }
}

ScriptedBroker::ScriptedBroker(const BrokerScript& script, std::size_t session, BrokerRecord& record,
                               sim::ManualClock& clock)
    : script_(script), record_(record), clock_(clock) {
  record_.recorded = &recorded_cases()[(script.first_case + session) % recorded_cases().size()];
}

Outcome<void> ScriptedBroker::act(const BrokerScript::Step& step, char name, Deadline until) {
  must(until != kNever, "every call to the broker has a deadline");
  record_.calls += name;
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
      record_.calls.back() = static_cast<char>(record_.calls.back() - 'a' + 'A');
      return {};
  }
}

Outcome<protocol::Challenge> ScriptedBroker::auth(protocol::Tee tee, Deadline until) {
  must(tee == protocol::Tee::snp, "only snp is served");
  TRY(act(script_.steps[0], 'a', until));
  return *protocol::Challenge::make(bytes_of(record_.recorded->challenge));
}

Outcome<std::string> ScriptedBroker::attest(const protocol::AttestationRequest& request, protocol::Binding,
                                            Deadline until) {
  must(!record_.posted, "one nonce attests once");
  record_.posted = {.report = copied(request.report),
                    .certs = copied(request.certs),
                    .challenge = copied(request.challenge),
                    .key = request.key};
  TRY(act(script_.steps[1], 't', until));
  record_.token = script_.steps[1].what == 1 ? std::string(1 + std::size_t{192} * script_.steps[1].size, 't')
                                             : record_.recorded->token;
  return record_.token;
}

Outcome<proxy::SealedSecret> ScriptedBroker::resource(const protocol::ResourcePath& path, Deadline until) {
  record_.path = path.text();
  TRY(act(script_.steps[2], 'r', until));
  record_.ciphertext = copied(bytes_of(record_.recorded->ciphertext));
  if (script_.steps[2].what == 1) {
    record_.ciphertext.assign(std::min(std::size_t{130} * script_.steps[2].size, protocol::kMaxCiphertextBytes), 0x5a);
  }
  return proxy::SealedSecret{.protected_header = record_.recorded->aad,
                             .epk = *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(record_.recorded->epk_x),
                                                           bytes_of(record_.recorded->epk_y), "epk"),
                             .wrapped_cek = fixed<crypto::WrappedKey>(record_.recorded->wrapped_cek),
                             .iv = fixed<crypto::GcmIv>(record_.recorded->iv),
                             .tag = fixed<crypto::GcmTag>(record_.recorded->tag),
                             .ciphertext = record_.ciphertext};
}

}  // namespace attestbed::fuzz
