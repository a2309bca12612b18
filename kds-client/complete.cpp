// SPDX-License-Identifier: Apache-2.0
#include "kds-client/complete.h"

#include <algorithm>

#include "core/verify/verified_report.h"

namespace attestbed::kds {
namespace {

using verify::Certificate;

constexpr std::uint32_t kFirstVersionWithCpuid = 3;

/// products_of is which products' chips the report may be of, the likeliest first: version 2 does not say.
Checked<std::vector<snp::Product>> products_of(const snp::RawReport& report) {
  if (report.version >= kFirstVersionWithCpuid) {
    const Result<snp::Product> product = snp::product_of(report.cpuid_family, report.cpuid_model);
    if (product) return std::vector<snp::Product>{*product};
    return Refusal{Errc::product_unknown, "CPUID_FAM_ID, CPUID_MOD_ID", "those of Milan, Genoa or Turin", "others"};
  }
  const bool short_id =
      std::ranges::all_of(Bytes(report.chip_id).subspan(8), [](std::uint8_t octet) { return octet == 0; });
  if (short_id) return std::vector<snp::Product>{snp::Product::turin};
  return std::vector<snp::Product>{snp::Product::milan, snp::Product::genoa};
}

struct Completion {
  Client& client;
  std::vector<Certificate>& certificates;
  Deadline until;
  std::vector<Request> from_cache;

  Checked<void> fetch(const Request& request) {
    const Fetched fetched = TRY(client.fetch(request, until));
    std::vector<Certificate> parsed = TRY(Certificate::parse(fetched.octets, fetched.source));
    std::ranges::move(parsed, std::back_inserter(certificates));
    if (fetched.from_cache) from_cache.push_back(request);
    return {};
  }
};

Checked<void> fetch_vcek(Completion& completion, const snp::RawReport& report) {
  const std::vector<Request> requests = TRY(vcek_requests(report));
  Checked<void> outcome;
  for (const Request& request : requests) {
    outcome = completion.fetch(request);
    if (outcome || outcome.error().code != Errc::kds_unknown) return outcome;
  }
  return outcome;
}

bool has_intermediate(std::span<const Certificate> certificates, snp::Product product, Hierarchy hierarchy) {
  const std::string name = (hierarchy == Hierarchy::vcek ? "SEV-" : "SEV-VLEK-") + std::string(product_name(product));
  return std::ranges::any_of(certificates, [&](const Certificate& it) { return it.common_name() == name; });
}

}  // namespace

Checked<std::vector<Request>> complete_endorsements(Client& client, const snp::RawReport& report,
                                                    std::vector<Certificate>& certificates,
                                                    const verify::TrustedRoots& roots, Deadline until) {
  const auto key = static_cast<snp::SigningKey>(snp::signing_key_bits(report.key_flags));
  if (key != snp::SigningKey::vcek && key != snp::SigningKey::vlek) return std::vector<Request>();
  const Hierarchy hierarchy = key == snp::SigningKey::vcek ? Hierarchy::vcek : Hierarchy::vlek;
  Completion completion{client, certificates, until, {}};
  Checked<Certificate> vek = verify::select_vek(report, certificates);
  if (!vek && hierarchy == Hierarchy::vcek) {
    TRY(fetch_vcek(completion, report));
    vek = verify::select_vek(report, certificates);
  }
  // Without a VEK no intermediate helps; the caller's own selection will say what is missing.
  if (!vek || !vek->vek_extensions() || !roots.simulated()) return std::move(completion.from_cache);
  const snp::Product product = vek->vek_extensions()->product;
  if (!has_intermediate(certificates, product, hierarchy)) {
    TRY(completion.fetch(Request::cert_chain(product, hierarchy)));
  }
  return std::move(completion.from_cache);
}

Checked<std::vector<Request>> vcek_requests(const snp::RawReport& report) {
  const std::vector<snp::Product> products = TRY(products_of(report));
  std::vector<Request> requests;
  for (const snp::Product product : products) {
    const snp::Tcb tcb = snp::decode_tcb(product, report.reported_tcb);
    const Request request = TRY(Request::vcek(product, report.chip_id, tcb));
    requests.push_back(request);
  }
  return requests;
}

bool forget_refused(Client& client, const std::vector<Request>& from_cache, const Refusal& refusal) {
  constexpr Errc kOfTheChain[] = {Errc::certificate_missing, Errc::root_untrusted, Errc::chain_signature,
                                  Errc::chain_constraint,    Errc::chain_expired,  Errc::vek_name,
                                  Errc::vek_extension};
  const bool of_the_chain = std::ranges::find(kOfTheChain, refusal.code) != std::end(kOfTheChain);
  if (client.offline() || !of_the_chain) return false;
  for (const Request& request : from_cache) client.forget(request);
  return !from_cache.empty();
}

Request crl_request(const verify::Vek& vek) {
  return Request::crl(vek.product(), vek.kind() == Certificate::Kind::vlek ? Hierarchy::vlek : Hierarchy::vcek);
}

Checked<verify::Crl> fetch_crl(Client& client, const verify::Vek& vek, verify::Time at, Deadline until) {
  const Request request = crl_request(vek);
  const Fetched fetched = TRY(client.fetch(request, until));
  const Checked<verify::Crl> crl = verify::Crl::parse(fetched.octets, fetched.source);
  if (!crl || !fetched.from_cache || client.offline()) return crl;
  const Checked<void> serves = verify::check_revocation(vek, {&*crl, 1}, at);
  if (serves || serves.error().code == Errc::certificate_revoked) return crl;
  client.forget(request);
  const Fetched fresh = TRY(client.fetch(request, until));
  return verify::Crl::parse(fresh.octets, fresh.source);
}

}  // namespace attestbed::kds
