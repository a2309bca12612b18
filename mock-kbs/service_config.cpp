// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/service_config.h"

#include <algorithm>

namespace attestbed::kbs {
namespace {

bool is_token_octet(std::uint8_t octet) {
  return octet > ' ' && octet < 0x7f;
}

Checked<std::optional<TlsFiles>> read_tls(const ServiceOptions& options) {
  const bool certificate = !options.tls_certificate.empty();
  const bool key = !options.tls_key.empty();
  if (certificate != key) {
    return Refusal{Errc::bad_config, "tls", "a certificate and its key", certificate ? "no key" : "no certificate"};
  }
  if (!certificate && !options.tls_client_ca.empty()) {
    return Refusal{Errc::bad_config, "tls", "a certificate and its key beside client_ca", "neither"};
  }
  if (!certificate) return std::optional<TlsFiles>();
  return std::optional<TlsFiles>(
      TlsFiles{.certificate = options.tls_certificate, .key = options.tls_key, .client_ca = options.tls_client_ca});
}

// The token is a line of a file, so that it is on no command line.
Checked<std::shared_ptr<const SecretOctets>> read_token(const std::string& path) {
  SecretOctets token = TRY(read_secret_file(path));
  std::size_t size = token.size();
  while (size > 0 && (token.expose()[size - 1] == '\n' || token.expose()[size - 1] == '\r')) --size;
  token.shrink(size);
  const bool good =
      size >= kMinAdminToken && size <= kMaxAdminToken && std::ranges::all_of(token.expose(), is_token_octet);
  if (good) return std::make_shared<const SecretOctets>(std::move(token));
  return Refusal{Errc::bad_config, path,
                 std::to_string(kMinAdminToken) + " to " + std::to_string(kMaxAdminToken) +
                     " printable characters without spaces, on one line",
                 std::to_string(size) + " octets of another form or length"};
}

Checked<std::optional<AdminConfig>> read_admin(const ServiceOptions& options) {
  const bool listen = !options.admin_listen.empty();
  const bool token = !options.admin_token_file.empty();
  if (!listen && !token) return std::optional<AdminConfig>();
  if (!listen || !token) {
    return Refusal{Errc::bad_config, "admin", "an address to listen on and a token file",
                   listen ? "no token file" : "no address"};
  }
  AdminConfig admin;
  const Result<http::ListenAddress> address = http::ListenAddress::parse(options.admin_listen);
  if (!address) {
    return Refusal{Errc::bad_config, "admin.listen", http::ListenAddress::kForm,
                   verify::printable(options.admin_listen, 64)};
  }
  if (!address->loopback) {
    return Refusal{Errc::bad_config, "admin.listen", "an address of loopback", address->authority(address->port)};
  }
  admin.listen = *address;
  admin.token = TRY(read_token(options.admin_token_file));
  return std::optional<AdminConfig>(std::move(admin));
}

}  // namespace

void ServiceOptions::over(const ServiceOptions& other) {
  const auto replace = [](std::string& mine, const std::string& theirs) {
    if (!theirs.empty()) mine = theirs;
  };
  std::ranges::copy(other.faults, std::back_inserter(faults));
  if (other.fault_seed) fault_seed = other.fault_seed;
  replace(tls_certificate, other.tls_certificate);
  replace(tls_key, other.tls_key);
  replace(tls_client_ca, other.tls_client_ca);
  replace(admin_listen, other.admin_listen);
  replace(admin_token_file, other.admin_token_file);
  replace(parity, other.parity);
}

Checked<FaultPlan> make_fault_plan(const std::vector<std::string>& texts, std::uint64_t seed) {
  if (texts.size() > kMaxFaults) {
    return Refusal{Errc::bad_config, "faults", "at most " + std::to_string(kMaxFaults), std::to_string(texts.size())};
  }
  FaultPlan plan{.seed = seed, .faults = {}};
  for (const std::string& text : texts) {
    Fault fault = TRY(parse_fault(text));
    plan.faults.push_back(std::move(fault));
  }
  return plan;
}

Checked<ServiceConfig> make_service_config(const ServiceOptions& options) {
  ServiceConfig config;
  config.faults = TRY(make_fault_plan(options.faults, options.fault_seed.value_or(0)));
  config.tls = TRY(read_tls(options));
  config.admin = TRY(read_admin(options));
  if (!options.parity.empty() && options.parity != "kbs-test") {
    return Refusal{Errc::bad_config, "parity", "kbs-test", verify::printable(options.parity, 64)};
  }
  config.kbs_test = !options.parity.empty();
  return config;
}

}  // namespace attestbed::kbs
