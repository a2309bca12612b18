// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/config.h"

#include <algorithm>

#include "core/crypto/sha2.h"
#include "core/log/event_log.h"
#include "core/posix/describe.h"
#include "core/protocol/resource_path.h"
#include "http-client/service_url.h"
#include "mock-kbs/certificate_files.h"

namespace attestbed::kbs {
namespace {

Refusal wrong(const GuestOptions& guest, const std::string& key, std::string expected, std::string found) {
  const auto place = guest.places.find(key);
  const std::string& where = place == guest.places.end() ? guest.origin : place->second;
  return {Errc::bad_config, where + ": " + key, std::move(expected), std::move(found)};
}

template <std::size_t N>
Checked<ByteArray<N>> hex_of(const GuestOptions& guest, const char* key, const std::string& hex) {
  const std::string expected = std::to_string(2 * N) + " hex digits";
  ByteArray<N> value;
  std::string octets;
  if (hex.size() != 2 * N) return wrong(guest, key, expected, std::to_string(hex.size()) + " characters");
  if (!posix::from_hex(hex, octets)) return wrong(guest, key, expected, verify::printable(hex));
  std::ranges::copy(bytes_of(octets), value.begin());
  return value;
}

Checked<std::vector<verify::Certificate>> read_roots(const GuestOptions& guest) {
  std::vector<verify::Certificate> roots;
  for (const std::string& name : guest.roots) {
    if (name == "amd") {
      const auto amd = verify::TrustedRoots::amd().certificates();
      roots.insert(roots.end(), amd.begin(), amd.end());
      continue;
    }
    const std::vector<verify::Certificate> file = TRY(load_certificates(name));
    const Checked<verify::TrustedRoots> found = verify::TrustedRoots::from_certificates(file);
    if (!found) return wrong(guest, "roots", "a self-signed ARK in " + name, found.error().text());
    roots.insert(roots.end(), found->certificates().begin(), found->certificates().end());
  }
  if (roots.empty()) return wrong(guest, "roots", "the root certificate behind this guest's reports", "none");
  return roots;
}

Checked<void> read_resource(const GuestOptions& guest, const std::string& path, const std::string& file,
                            ReferenceEntry& entry) {
  const std::string key = "resource " + verify::printable(path, 64);
  if (!protocol::ResourcePath::parse(path, "resource")) {
    return wrong(guest, key, "repository/type/tag of letters, digits, '_', '-', '.'", "another path");
  }
  if (file.empty()) return wrong(guest, key, "PATH=FILE", "no file");
  if (entry.resources.contains(path)) return wrong(guest, key, "one file for each path", "two");
  entry.resources.emplace(path, std::make_shared<const SecretOctets>(TRY(read_secret_file(file))));
  return {};
}

Checked<ReferenceEntry> read_entry(const GuestOptions& guest) {
  ReferenceEntry entry{.name = verify::printable(guest.name, 64), .measurements = {}, .roots = {}, .resources = {}};
  entry.w1_exposed = guest.w1_exposed;
  entry.allow_debug = guest.allow_debug;
  entry.allow_migration_agent = guest.allow_migration_agent;
  entry.require_single_socket = guest.require_single_socket;
  entry.allow_smt = guest.allow_smt;
  entry.minimum_tcb = guest.minimum_tcb;
  if (guest.host_data) entry.host_data = TRY(hex_of<32>(guest, "host_data", *guest.host_data));
  const Result<protocol::Binding> binding = protocol::binding_named(guest.binding, "binding");
  if (!binding) {
    return wrong(guest, "binding", "svsm-sha512 or kbs-sha384", verify::printable(guest.binding, 64));
  }
  entry.binding = *binding;
  for (const std::string& hex : guest.measurements)
    entry.measurements.push_back(TRY(hex_of<48>(guest, "measurement", hex)));
  entry.roots = TRY(read_roots(guest));
  for (const auto& [path, file] : guest.resources) TRY(read_resource(guest, path, file, entry));
  return entry;
}

Checked<SharedResources> read_shared(const Options& options) {
  SharedResources shared;
  for (const auto& [path, file] : options.resources) {
    SecretOctets secret = TRY(read_secret_file(file));
    shared.insert_or_assign(path, std::make_shared<const SecretOctets>(std::move(secret)));
  }
  return shared;
}

Checked<KdsConfig> read_kds(const KdsSection& section) {
  const auto bad = [&](const std::string& key, std::string expected, std::string found) {
    return Refusal{Errc::bad_config, section.origin + ": kds." + key, std::move(expected), std::move(found)};
  };
  constexpr std::uint32_t kMaxSeconds = 8;
  KdsConfig config;
  config.check_revocation = section.check_revocation;
  const std::uint32_t seconds = section.timeout_seconds.value_or(5);
  if (seconds > kMaxSeconds) {
    return bad("timeout_seconds", "at most " + std::to_string(kMaxSeconds), std::to_string(seconds));
  }
  config.budget = std::chrono::seconds(seconds);
  config.client.ca_file = section.ca_file;
  config.client.cache = section.cache;
  config.client.offline = section.offline;
  if (section.url.empty() && !section.offline) return bad("url", "https://HOST[:PORT], or `amd`", "none");
  if (section.offline && section.cache.empty()) return bad("cache", "a directory, since offline = true", "none");
  if (section.url.empty()) return config;
  const auto plain = section.insecure_http ? http::PlainHttp::anywhere : http::PlainHttp::loopback_only;
  http::ServiceUrl url = http::parse_service_url(section.url == "amd" ? kds::kAmdUrl : section.url, plain);
  if (!url.problem.empty()) {
    return bad("url", "https://HOST[:PORT], or http with insecure_http = true",
               verify::printable(http::shown_url(section.url), 200) + ", which " + url.problem);
  }
  config.client.url = std::move(url.url);
  return config;
}

nlohmann::ordered_json describe_root(const verify::Certificate& root) {
  const std::vector<std::uint8_t> der = root.der();
  const Result<crypto::Sha256Digest> digest = crypto::sha256({der});
  return {{"common_name", verify::printable(root.common_name())},
          {"sha256", digest ? verify::hex_text(*digest).substr(0, 16) : ""},
          {"source", root.source()}};
}

void announce_entry(const ReferenceEntry& entry) {
  nlohmann::ordered_json measurements = nlohmann::ordered_json::array();
  for (const snp::Measurement& measurement : entry.measurements) measurements.push_back(verify::hex_text(measurement));
  nlohmann::ordered_json resources = nlohmann::ordered_json::object();
  for (const auto& [path, secret] : entry.resources) resources[path] = secret->size();
  log::event(log::Level::info, "entry",
             {{"entry", entry.name},
              {"measurements", measurements},
              {"binding", protocol::binding_name(entry.binding)},
              {"resource_octets", resources}});
  if (entry.w1_exposed) {
    log::event(log::Level::warning, "w1_exposed",
               {{"entry", entry.name},
                {"message", "this guest lets its host choose what its report binds: the host can obtain its secrets"}});
  }
  if (entry.allow_debug) {
    log::event(log::Level::warning, "debug_allowed",
               {{"entry", entry.name}, {"message", "guests whose host may read their memory are accepted"}});
  }
  for (const auto& [path, secret] : entry.resources) {
    if (secret->size() <= kLargestCommonResource && secret->size() > 0) continue;
    log::event(log::Level::warning, "resource_size",
               {{"entry", entry.name},
                {"resource", path},
                {"octets", secret->size()},
                {"message", "guests of protocol 0.1.0 refuse empty secrets and secrets above 32 KiB"}});
  }
}

void announce_decisions(const Config& config) {
  const ResourcePolicy& policy = config.values.policy;
  log::event(log::Level::info, "policy",
             {{"base", policy_name(policy.base())},
              {"rules", policy.rules().size()},
              {"shared_resources", config.values.resources.size()},
              {"appraisal", config.appraisal == AppraisalMode::strict ? "strict" : "trustee"},
              {"nonce_mode", config.sessions.nonce_mode == NonceMode::strict ? "strict" : "trustee"},
              {"nonce_octets", config.sessions.nonce_octets}});
  if (policy.admits_sample()) {
    log::event(log::Level::warning, "SAMPLE_ADMITTED",
               {{"message", "evidence of tee sample, which anyone can make, is given resources; for tests only"}});
  }
  if (config.sessions.nonce_seed) {
    log::event(
        log::Level::warning, "NONCE_SEED",
        {{"message", "nonces follow from a seed and can be foretold: freshness proves nothing; for tests only"}});
  }
}

void announce_service(const ServiceConfig& service) {
  if (!service.faults.faults.empty()) {
    nlohmann::ordered_json faults = nlohmann::ordered_json::array();
    for (const Fault& fault : service.faults.faults) faults.push_back(fault_text(fault));
    log::event(log::Level::warning, "FAULTS",
               {{"seed", service.faults.seed},
                {"faults", faults},
                {"message", "this broker answers wrongly on purpose; for tests only"}});
  }
  if (service.tls) {
    log::event(log::Level::info, "tls",
               {{"certificate", service.tls->certificate}, {"client_ca", service.tls->client_ca}});
  }
}

}  // namespace

Checked<Config> make_config(const Options& options) {
  Config config;
  if (options.listen) {
    const Result<ListenAddress> listen = ListenAddress::parse(*options.listen);
    if (!listen)
      return Refusal{Errc::bad_config, "listen", ListenAddress::kForm, verify::printable(*options.listen, 64)};
    config.listen = *listen;
  }
  config.log_level = options.log_level.value_or(config.log_level);
  log::Level level{};
  if (!log::level_named(config.log_level, level)) {
    return Refusal{Errc::bad_config, "log level", "debug, info, warning or error",
                   verify::printable(config.log_level, 64)};
  }
  if (options.session_lifetime_seconds)
    config.sessions.lifetime = std::chrono::seconds(*options.session_lifetime_seconds);
  config.sessions.nonce_mode = options.nonce_mode.value_or(config.sessions.nonce_mode);
  config.sessions.nonce_seed = options.nonce_seed;
  config.sessions.max_sessions = options.max_sessions.value_or(config.sessions.max_sessions);
  for (const std::string& path : options.certs) {
    std::vector<verify::Certificate> loaded = TRY(load_certificates(path));
    std::ranges::move(loaded, std::back_inserter(config.certificates));
  }
  if (options.kds) config.kds = TRY(read_kds(*options.kds));
  config.service = TRY(make_service_config(options.service));
  constexpr std::size_t kKbsTestNonceOctets = 16;
  config.sessions.nonce_octets =
      options.nonce_octets.value_or(config.service.kbs_test ? kKbsTestNonceOctets : config.sessions.nonce_octets);
  std::vector<ReferenceEntry> entries;
  for (const GuestOptions& guest : options.guests) entries.push_back(TRY(read_entry(guest)));
  config.values.reference = TRY(ReferenceValues::make(std::move(entries)));
  config.values.resources = TRY(read_shared(options));
  if (options.policy) {
    const auto at_origin = [&options](Refusal why) {
      why.field = options.policy->origin + ": " + why.field;
      return why;
    };
    const Checked<ResourcePolicy> policy = ResourcePolicy::make(options.policy->base, options.policy->rules);
    if (!policy) return at_origin(policy.error());
    config.values.policy = *policy;
    const Checked<void> rules = check_rules(config.values);
    if (!rules) return at_origin(rules.error());
  }
  config.appraisal = options.appraisal.value_or(config.appraisal);
  if (options.nonce_seed && !config.listen.loopback) {
    return Refusal{Errc::bad_config, "nonce_seed", "a loopback address, since nonces can be foretold",
                   config.listen.host};
  }
  TRY(check_reach(config.values, config.reach()));
  return config;
}

void announce(const Config& config) {
  const auto roots = config.values.reference.roots().certificates();
  for (const verify::Certificate& root : roots) log::event(log::Level::info, "trusted_root", describe_root(root));
  if (!roots.empty() && config.values.reference.roots().simulated()) {
    log::event(log::Level::warning, "SIMULATED_ROOT",
               {{"message", "SIMULATED ROOT OF TRUST: whoever holds its key can make any report; for tests only"}});
  }
  bool any = false;
  for (const auto& entry : config.values.reference.entries()) {
    announce_entry(*entry);
    any = any || !entry->measurements.empty();
  }
  if (!any) {
    log::event(log::Level::warning, "no_measurement",
               {{"message", "no measurement is configured: every attestation will be refused"}});
  }
  announce_service(config.service);
  if (!config.listen.loopback && !config.service.tls) {
    log::event(log::Level::warning, "no_tls",
               {{"listen", config.listen.host},
                {"message", "plain HTTP beyond loopback: cookies and tokens can be read on the way"}});
  }
  if (config.kds) {
    log::event(log::Level::info, "kds",
               {{"url", config.kds->client.url},
                {"cache", config.kds->client.cache},
                {"offline", config.kds->client.offline},
                {"check_revocation", config.kds->check_revocation}});
  }
  announce_decisions(config);
  if (config.certificates.empty() && !config.kds) {
    log::event(
        log::Level::warning, "no_certificates",
        {{"message", "no --certs and no [kds]: only evidence that brings its own VCEK or VLEK can be verified"}});
  }
}

}  // namespace attestbed::kbs
