// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http-server/listen.h"
#include "mock-kbs/fault_plan.h"
#include "mock-kbs/resource.h"
#include "mock-kbs/tls.h"

namespace attestbed::kbs {

/// ServiceOptions is what somebody wrote about how the broker serves, not about what it releases. An absent member was
/// not said.
struct ServiceOptions {
  std::vector<std::string> faults;
  std::optional<std::uint64_t> fault_seed;
  std::string tls_certificate, tls_key, tls_client_ca;
  std::string admin_listen, admin_token_file;
  std::string parity;

  /// over lays `other` over it: single values replace, faults add up.
  void over(const ServiceOptions& other);
};

/// AdminConfig is where the admin API listens and the token that opens it.
struct AdminConfig {
  http::ListenAddress listen;
  std::shared_ptr<const SecretOctets> token;
};
inline constexpr std::size_t kMinAdminToken = 16;
inline constexpr std::size_t kMaxAdminToken = 1024;

/// ServiceConfig is how the broker serves.
///   kbs_test  as kbs-test does, see parity.h
struct ServiceConfig {
  FaultPlan faults;
  std::optional<TlsFiles> tls;
  std::optional<AdminConfig> admin;
  bool kbs_test = false;
};

/// make_service_config judges them. Errors: bad_config with what, where, expected and found; those of the token file.
Checked<ServiceConfig> make_service_config(const ServiceOptions& options);

/// make_fault_plan reads a plan from its texts. Errors: bad_config.
Checked<FaultPlan> make_fault_plan(const std::vector<std::string>& texts, std::uint64_t seed);

}  // namespace attestbed::kbs
