// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "core/base/secret.h"
#include "mock-kbs/admin_bodies.h"
#include "mock-kbs/admin_entry.h"
#include "mock-kbs/http_text.h"

namespace attestbed::kbs {
namespace {

constexpr std::string_view kResource = "/kbs/v0/resource/";
constexpr std::string_view kPolicy = "/kbs/v0/resource-policy";
constexpr std::string_view kEntries = "/admin/v0/entries/";
constexpr std::string_view kFaults = "/admin/v0/faults";
constexpr std::string_view kState = "/admin/v0/state";
constexpr std::string_view kReset = "/admin/v0/reset";
constexpr char kJson[] = "application/json";

Response done(Response response, std::string body = {}, const char* content_type = "") {
  response.status = response.audit.status = 200;
  response.body = std::move(body);
  response.content_type = content_type;
  return response;
}

Response refused(Response response, int status, const char* variant, const Refusal& why) {
  response.status = response.audit.status = status;
  response.body = encode_refusal(variant, why);
  response.audit.refusal = why;
  return response;
}

Response no_such(Response response, const Request& request) {
  Refusal why{Errc::bad_value, "path", "an endpoint of the admin API and a method of it",
              verify::printable(request.method + " " + request.target, 200)};
  return refused(std::move(response), 404, "PluginNotFound", why);
}

// The answer to a change that was made, or the reason why not.
Response changed(Response response, const Checked<void>& change, int status, const char* variant,
                 const char* content_type = "") {
  if (!change) return refused(std::move(response), status, variant, change.error());
  return done(std::move(response), {}, content_type);
}

}  // namespace

Response Admin::handle(const Request& request) {
  Response response;
  response.audit.peer = request.peer;
  response.audit.endpoint = "admin " + verify::printable(request.method + " " + request.target, 200);
  try {
    return route(request, std::move(response));
  } catch (const std::exception&) {
    Response failed;
    failed.audit.peer = request.peer;
    return refused(std::move(failed), 500, "", {Errc::internal, "handler", "no exception", "one"});
  }
}

bool Admin::knows(const Request& request) const {
  return equal_ct(bytes_of(bearer_token(request.authorization)), parts_.token->expose());
}

Response Admin::route(const Request& request, Response response) {
  const std::string_view target = request.target;
  if (target == "/healthz" && request.method == "GET") return done(std::move(response));
  if (!knows(request)) {
    const char* variant = target.starts_with(kResource) ? "AdminAuthInitialization" : "AdminAuthAccess";
    const Refusal why{Errc::token_invalid, "Authorization", "the admin token as Bearer",
                      request.authorization.empty() ? "none" : "another"};
    return refused(std::move(response), 401, variant, why);
  }
  if (target.starts_with(kResource)) return resource(request, target.substr(kResource.size()), std::move(response));
  if (target == kPolicy) return policy(request, std::move(response));
  if (target.starts_with(kEntries)) return entries(request, target.substr(kEntries.size()), std::move(response));
  if (target == kFaults) return faults(request, std::move(response));
  if (target == kReset) return reset(request, std::move(response));
  if (target != kState || request.method != "GET") return no_such(std::move(response), request);
  const std::string state =
      encode_state(*parts_.broker.state.now(), parts_.faults.plan(), parts_.broker.sessions.size());
  return done(std::move(response), state, kJson);
}

Response Admin::resource(const Request& request, std::string_view path, Response response) {
  constexpr char kVariant[] = "PluginInternalError";
  constexpr char kEmpty[] = "text/xml";  // as Trustee has it
  response.audit.resource = verify::printable(path, 200);
  if (request.method == "DELETE") {
    const Checked<void> removed = parts_.broker.state.remove_resource(path);
    if (removed) parts_.metrics.written(std::string(path));
    return changed(std::move(response), removed, 401, kVariant, kEmpty);
  }
  if (request.method != "POST") return no_such(std::move(response), request);
  SecretOctets secret(request.body.size());
  std::ranges::copy(bytes_of(request.body), secret.expose_mut().begin());
  const Checked<void> put = parts_.broker.state.put_resource(path, std::move(secret));
  if (put) parts_.metrics.written(std::string(path));
  return changed(std::move(response), put, 401, kVariant, kEmpty);
}

Response Admin::policy(const Request& request, Response response) {
  if (request.method == "GET") {
    const auto values = parts_.broker.state.now();
    auto names = nlohmann::json::array();
    for (const PolicyRule& rule : values->policy.rules()) names.push_back(rule.name);
    names.push_back(policy_name(values->policy.base()));
    return done(std::move(response), names.dump(), kJson);
  }
  if (request.method != "POST") return no_such(std::move(response), request);
  Checked<ResourcePolicy> policy = decode_policy(request.body);
  if (!policy) return refused(std::move(response), 401, "ParsePolicyError", policy.error());
  return changed(std::move(response), parts_.broker.state.set_policy(*std::move(policy)), 401, "PolicyEngineError");
}

Response Admin::entries(const Request& request, std::string_view name, Response response) {
  constexpr char kVariant[] = "RvpsError";
  if (request.method == "DELETE") {
    return changed(std::move(response), parts_.broker.state.remove_entry(name), 400, kVariant);
  }
  if (request.method != "PUT") return no_such(std::move(response), request);
  Checked<ReferenceEntry> entry = decode_entry(name, request.body);
  if (!entry) return refused(std::move(response), 400, kVariant, entry.error());
  response.audit.entry = entry->name;
  return changed(std::move(response), parts_.broker.state.put_entry(*std::move(entry)), 400, kVariant);
}

Response Admin::faults(const Request& request, Response response) {
  if (request.method == "GET") return done(std::move(response), encode_faults(parts_.faults.plan()), kJson);
  if (request.method != "PUT") return no_such(std::move(response), request);
  Checked<FaultPlan> plan = decode_faults(request.body);
  if (!plan) return refused(std::move(response), 400, "FaultPlan", plan.error());
  parts_.faults.set(*std::move(plan));
  return done(std::move(response));
}

Response Admin::reset(const Request& request, Response response) {
  if (request.method != "POST") return no_such(std::move(response), request);
  parts_.broker.state.reset();
  parts_.faults.set(parts_.configured_faults);
  parts_.broker.sessions.end_all();
  parts_.broker.tokens.end_all();
  return done(std::move(response));
}

}  // namespace attestbed::kbs
