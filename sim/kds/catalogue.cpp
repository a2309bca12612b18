// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/catalogue.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

using What = KdsAsk::What;

constexpr snp::Product kProducts[] = {snp::Product::milan, snp::Product::genoa, snp::Product::turin};
constexpr char kDer[] = "application/octet-stream";

std::string text(const Der& der) {
  return {der.begin(), der.end()};
}

bool is_at_most(const snp::Tcb& asked, const snp::Tcb& own) {
  return asked.fmc <= own.fmc && asked.boot_loader <= own.boot_loader && asked.tee <= own.tee && asked.snp <= own.snp &&
         asked.microcode <= own.microcode;
}

KdsCatalogue::Answer failed(const Error& error) {
  return {.status = 500, .body = std::string(error_name(error.code)) + "\n"};
}

}  // namespace

Outcome<KdsCatalogue> KdsCatalogue::of_default_seed() {
  KdsCatalogue catalogue;
  for (const snp::Product product : kProducts) {
    CertificateAuthority authority = TRY(CertificateAuthority::of_default_seed(product));
    catalogue.authorities_.emplace(product, std::move(authority));
  }
  return catalogue;
}

Outcome<KdsCatalogue> KdsCatalogue::of_directory(const std::string& directory) {
  KdsCatalogue catalogue;
  CertificateAuthority authority = TRY(CertificateAuthority::load(directory, std::nullopt));
  const snp::Product product = authority.profile().product;
  catalogue.authorities_.emplace(product, std::move(authority));
  return catalogue;
}

Outcome<void> KdsCatalogue::revoke_intermediates() {
  for (auto& [product, authority] : authorities_) {
    const std::uint32_t serials[] = {authority.profile().ask_serial, authority.profile().asvk_serial};
    Result<Der> crl = authority.issue_crl(serials);
    if (!crl) return failure_at("CRL", crl.error());
    revoking_crls_[product] = *std::move(crl);
  }
  return {};
}

KdsCatalogue::Answer KdsCatalogue::answer(const KdsAsk& ask) const {
  const auto found = authorities_.find(ask.product);
  if (found == authorities_.end()) return {};
  const CertificateAuthority& authority = found->second;
  if (ask.what == What::cert_chain) {
    const Result<std::string> chain = authority.cert_chain(ask.line);
    return chain ? Answer{.status = 200, .body = *chain} : failed(chain.error());
  }
  if (ask.what == What::crl) {
    const auto revoking = revoking_crls_.find(ask.product);
    return {.status = 200,
            .body = text(revoking == revoking_crls_.end() ? authority.crl() : revoking->second),
            .content_type = kDer};
  }
  // VLEKs are for cloud providers who show an authorisation; nobody has one here.
  if (ask.what == What::vlek) return {.status = 401, .body = "needs a cloud provider's authorisation\n"};
  const bool own = std::ranges::equal(ask.hardware_id, authority.hardware_id());
  if (!own || !is_at_most(ask.tcb, authority.tcb())) return {};
  const Result<Der> vcek = authority.issue_vcek(ask.hardware_id, ask.tcb);
  return vcek ? Answer{.status = 200, .body = text(*vcek), .content_type = kDer} : failed(vcek.error());
}

}  // namespace attestbed::sim
