// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_injector.h"

#include <nlohmann/json.hpp>

#include "mock-kbs/fault_body.h"
#include "mock-kbs/fault_secret.h"
#include "mock-kbs/http_text.h"

namespace attestbed::kbs {
namespace {

using Endpoint = FaultEndpoint;
using K = FaultKind;

std::optional<Endpoint> endpoint_of(const AuditRecord& audit) {
  if (audit.endpoint == "POST auth") return Endpoint::auth;
  if (audit.endpoint == "POST attest") return Endpoint::attest;
  if (audit.endpoint == "GET resource") return Endpoint::resource;
  return std::nullopt;
}

// The session is over, and the same request is handled as what it has become.
bool end_session(Broker& broker, const Request& request, Response& response) {
  const Checked<std::string> cookie = find_cookie(request.cookies, "kbs-session-id", 32);
  if (!cookie || !broker.sessions.end(*cookie)) return false;
  response = handle(broker, request);
  return true;
}

bool put_nonce(const std::string& nonce, Response& response) {
  if (nonce.empty() || response.status != 200) return false;
  response.body = encode_challenge(nonce);
  return true;
}

}  // namespace

void FaultInjector::set(FaultPlan plan) {
  const std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  counts_.assign(plan_.faults.size(), 0);
  sessions_.assign(plan_.faults.size(), {});
  opened_ = 0;
  first_ = {};
  nonce_.clear();
  given_.reset();
  given_before_.reset();
}

FaultPlan FaultInjector::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

Response FaultInjector::handle(Broker& broker, const Request& request) {
  Response response = kbs::handle(broker, request);
  const std::optional<Endpoint> at = endpoint_of(response.audit);
  if (!at) return response;
  const Earlier earlier = remember(*at, response);
  const std::optional<Chosen> chosen = choose(*at, response.audit);
  if (!chosen) return response;
  if (!apply(*chosen, *at, earlier, broker, request, response)) {
    response.audit.fault_skipped = fault_text(chosen->fault);
    return response;
  }
  response.audit.status = response.status;
  response.audit.fault = fault_text(chosen->fault);
  return response;
}

Greeting FaultInjector::greet() {
  const std::optional<Chosen> chosen = choose(Endpoint::connection, {});
  if (!chosen) return {};
  return {.how = chosen->fault.kind == K::reset ? Delivery::How::reset : Delivery::How::closed,
          .fault = fault_text(chosen->fault)};
}

bool FaultInjector::concerns(std::size_t index, Endpoint at, const AuditRecord& audit) const {
  const Fault& fault = plan_.faults[index];
  const bool here = fault.endpoint == at || (fault.endpoint == Endpoint::any && at != Endpoint::connection);
  if (!here) return false;
  if (!fault.guest.empty() && fault.guest != audit.entry) return false;
  return fault.session == 0 || (!sessions_[index].empty() && sessions_[index] == audit.attestation);
}

// Every fault counts what concerns it, also where another one is taken.
std::optional<FaultInjector::Chosen> FaultInjector::choose(Endpoint at, const AuditRecord& audit) {
  const std::lock_guard lock(mutex_);
  std::optional<Chosen> chosen;
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    if (!concerns(i, at, audit)) continue;
    const std::uint64_t count = ++counts_[i];
    if (chosen || !fault_fits(plan_, i, count)) continue;
    chosen = Chosen{.fault = plan_.faults[i], .noise = FaultNoise::of(~plan_.seed, i, count)};
  }
  return chosen;
}

FaultInjector::Earlier FaultInjector::remember(Endpoint at, const Response& response) {
  const std::lock_guard lock(mutex_);
  if (plan_.faults.empty()) return {};
  std::optional<Response>& first = first_[static_cast<std::size_t>(at)];
  const std::string& who = response.audit.attestation;
  Earlier earlier{.first = first, .nonce = nonce_, .of_another = std::nullopt};
  for (const std::optional<Given>& given : {given_before_, given_}) {
    if (given && given->attestation != who) earlier.of_another = given->what;
  }
  if (response.status != 200) return earlier;
  if (!first) first = response;
  if (at == Endpoint::auth) {
    ++opened_;
    for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
      if (plan_.faults[i].session == opened_) sessions_[i] = who;
    }
    nonce_ = nlohmann::json::parse(response.body).at("nonce").get<std::string>();
  }
  if (at == Endpoint::resource && response.sealed) {
    if (given_ && given_->attestation != who) given_before_ = given_;
    given_ = Given{.attestation = who, .what = *response.sealed};
  }
  return earlier;
}

bool FaultInjector::apply(const Chosen& chosen, Endpoint at, const Earlier& earlier, Broker& broker,
                          const Request& request, Response& response) {
  const Fault& fault = chosen.fault;
  switch (fault.kind) {
    case K::replay:
      if (!earlier.first) return false;
      response.status = earlier.first->status;
      response.body = earlier.first->body;
      response.content_type = earlier.first->content_type;
      response.set_cookie = earlier.first->set_cookie;
      return true;
    case K::nonce_repeated:
      return put_nonce(earlier.nonce, response);
    case K::session_expired:
      return end_session(broker, request, response);
    case K::token_expired:
      return expire_token(broker, response);
    case K::secret_other_guest:
      if (!response.sealed || !earlier.of_another) return false;
      response.sealed->secret = earlier.of_another->secret;
      return break_secret(fault, chosen.noise, broker.entropy, response);
    default:
      return break_body(fault, at, chosen.noise, response) ||
             break_secret(fault, chosen.noise, broker.entropy, response);
  }
}

}  // namespace attestbed::kbs
