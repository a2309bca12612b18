// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/kds_access.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>

#include "http-client/service_url.h"

namespace attestbed::tools {
namespace {

using verify::Checked;
using verify::Refusal;

constexpr char kAmd[] = "amd";
constexpr char kFromKds[] = "kds";
constexpr std::size_t kMaxCaFileBytes = std::size_t{4} << 20;  // a system's bundle has some 200 KiB

Checked<kds::Options> options_of(const KdsFlags& flags) {
  kds::Options options{.url = flags.url == kAmd ? kds::kAmdUrl : flags.url,
                       .ca_file = flags.ca_file,
                       .cache = flags.cache,
                       .offline = flags.offline};
  if (!options.url.empty()) {
    const auto plain = flags.insecure_http ? http::PlainHttp::anywhere : http::PlainHttp::loopback_only;
    http::ServiceUrl url = http::parse_service_url(options.url, plain);
    if (!url.problem.empty()) {
      return Refusal{Errc::bad_config, "--kds " + verify::printable(http::shown_url(options.url), 200),
                     "https://HOST[:PORT], or `amd`", "a text that " + url.problem};
    }
    options.url = std::move(url.url);
  }
  options.warn = [](const Refusal& why) { std::fprintf(stderr, "attestbed: warning: %s\n", why.text().c_str()); };
  return options;
}

Checked<verify::Crl> read_crl(const std::string& path) {
  const std::vector<std::uint8_t> octets = TRY(read_file(path, verify::kMaxCrlBytes));
  return verify::Crl::parse(octets, path);
}

}  // namespace

void add_kds_flags(CLI::App& command, KdsFlags& into) {
  command.add_option("--kds", into.url, "Fetch what --certs lacks from this KDS; `amd` is https://kdsintf.amd.com")
      ->type_name("URL");
  command.add_option("--kds-cache", into.cache, "Keep what was fetched there, and look there first (mode 0700)")
      ->type_name("DIR");
  command.add_flag("--offline", into.offline, "Use the cache alone");
  command.add_option("--kds-ca", into.ca_file, "Roots for the TLS certificate of the KDS, PEM; default: the system's")
      ->type_name("FILE");
  command.add_flag("--insecure-http", into.insecure_http, "Allow http to a KDS that is not loopback");
  command.add_option("--kds-timeout", into.timeout_seconds, "Seconds for everything that is fetched")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command
      .add_option("--crl", into.crls, "Demand that no CRL of the root lists the chain: a file, or `kds` to fetch it")
      ->type_name("FILE");
}

std::string KdsFlags::own_url() const {
  return url == kAmd || url == kds::kAmdUrl ? std::string() : url;
}

void require_certificates(const EvidencePlaces& places, const KdsFlags& kds) {
  const bool from_kds = kds.in_use() && !places.report.empty();
  if (places.certificates.empty() && !from_kds) throw CLI::RequiredError("--certs, or --kds with a REPORT,");
}

Checked<std::unique_ptr<KdsAccess>> KdsAccess::make(const KdsFlags& flags) {
  std::unique_ptr<KdsAccess> access(new KdsAccess());
  if (!flags.in_use() && !flags.cache.empty()) {
    return Refusal{Errc::bad_config, "--kds-cache", "--kds or --offline with it", "neither"};
  }
  if (!flags.ca_file.empty()) {
    // The TLS library would wait for a pipe, and say of a missing file that the KDS is not trusted.
    const auto readable = read_file(flags.ca_file, kMaxCaFileBytes);
    if (!readable) return own_file_refusal("--kds-ca", readable.error());
  }
  if (flags.in_use()) {
    kds::Options options = TRY(options_of(flags));
    access->client_ = TRY(kds::Client::make(std::move(options), access->clock_));
  }
  access->until_ = access->clock_.now() + std::chrono::seconds(flags.timeout_seconds);
  access->wants_crl_ = flags.wants_crl();
  for (const std::string& name : flags.crls) {
    if (name != kFromKds) {
      const Checked<verify::Crl> crl = read_crl(name);
      if (!crl) return own_file_refusal("--crl", crl.error());
      access->crls_.push_back(*crl);
      continue;
    }
    access->crl_from_kds_ = true;
    if (!flags.in_use()) return Refusal{Errc::bad_config, "--crl kds", "--kds or --offline with it", "neither"};
  }
  return access;
}

Checked<void> KdsAccess::complete(const snp::RawReport& report, const verify::TrustedRoots& roots,
                                  std::vector<verify::Certificate>& certificates) {
  from_cache_.clear();
  if (!client_) return {};
  from_cache_ = TRY(kds::complete_endorsements(*client_, report, certificates, roots, until_));
  return {};
}

bool KdsAccess::forget_refused(const verify::Refusal& refusal) {
  return client_ && kds::forget_refused(*client_, std::exchange(from_cache_, {}), refusal);
}

Checked<void> KdsAccess::check_revocation(const verify::Vek& vek, verify::Time at, verify::Steps* passed) {
  if (!wants_crl_) return {};
  std::vector<verify::Crl> crls = crls_;
  if (crl_from_kds_) crls.push_back(TRY(kds::fetch_crl(*client_, vek, at, until_)));
  return verify::check_revocation(vek, crls, at, passed);
}

}  // namespace attestbed::tools
