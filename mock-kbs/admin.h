// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "mock-kbs/fault_injector.h"
#include "mock-kbs/handlers.h"
#include "mock-kbs/metrics.h"
#include "mock-kbs/service_config.h"

namespace attestbed::kbs {

/// Admin is the owner's side of a running broker, on a listener of its own. Every request needs the owner's token as
/// Bearer. Where Trustee has the endpoint, path, status and variant are Trustee's, with the reason as detail:
///   POST, DELETE /kbs/v0/resource/{repository}/{type}/{tag}   raw octets; shared resources
///   GET, POST    /kbs/v0/resource-policy                      {"policy": base64url of a policy's name or table}; GET
///                                                             lists the rules' names, then the base
/// What Trustee does not have is ours, refused with 400 and a reason:
///   PUT, DELETE  /admin/v0/entries/{name}                     a reference entry
///   GET, PUT     /admin/v0/faults                             {"seed": n, "faults": [text, ...]}
///   GET          /admin/v0/state                              everything but secrets
///   POST         /admin/v0/reset                              the configured state; all sessions and tokens end
/// Safe from any thread.
class Admin {
 public:
  struct Parts {
    Broker& broker;
    FaultInjector& faults;
    Metrics& metrics;
    FaultPlan configured_faults;
    std::shared_ptr<const SecretOctets> token;
  };
  /// What `parts` refers to outlives it.
  explicit Admin(Parts parts) : parts_(std::move(parts)) {}

  Response handle(const Request& request);

 private:
  bool knows(const Request& request) const;
  Response route(const Request& request, Response response);
  Response resource(const Request& request, std::string_view path, Response response);
  Response policy(const Request& request, Response response);
  Response entries(const Request& request, std::string_view name, Response response);
  Response faults(const Request& request, Response response);
  Response reset(const Request& request, Response response);

  const Parts parts_;
};

}  // namespace attestbed::kbs
