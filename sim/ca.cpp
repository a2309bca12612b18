// SPDX-License-Identifier: Apache-2.0
#include "sim/ca.h"

#include <openssl/rand.h>

#include <algorithm>

#include "core/base/wire.h"
#include "sim/default_keys.h"
#include "sim/to_be_signed.h"

namespace attestbed::sim {
namespace {

Result<snp::ChipId> make_chip_id(const CryptoContext& context, const ProductProfile& profile) {
  OSSL_LIB_CTX* library = TRY(context.begin("chip id", bytes_of(snp::product_name(profile.product))));
  snp::ChipId id{};
  std::ranges::copy(profile.marker, id.begin());
  const MutBytes rest = MutBytes(id).first(profile.hardware_id_octets).subspan(profile.marker.size());
  if (RAND_bytes_ex(library, rest.data(), rest.size(), 0) != 1) return Error{Errc::internal, "RAND_bytes_ex"};
  return id;
}

// A seeded machine's chip has the seed itself for its secret, so that the seed alone decides its keys.
Result<SigningKey::Context> make_chip(const SigningKey::Context& context) {
  if (!context->root().empty()) return context;
  OSSL_LIB_CTX* library = TRY(context->begin("chip secret"));
  Secret<32> secret;
  const auto octets = secret.expose_mut();
  if (RAND_priv_bytes_ex(library, octets.data(), octets.size(), 0) != 1) {
    return Error{Errc::internal, "RAND_priv_bytes_ex"};
  }
  return CryptoContext::derived(octets);
}

Result<SigningKey> authority_key(const SigningKey::Context& context, bool is_default_seed, std::string_view label,
                                 const char* product, std::string_view shipped) {
  if (is_default_seed) return SigningKey::from_pem(context, shipped);
  return SigningKey::make_rsa4096(context, label, bytes_of(product));
}

Result<Der> signed_by(const SigningKey& issuer, Bytes to_be_signed, Trailer trailer) {
  const Der signature = TRY(issuer.sign_certificate(to_be_signed));
  return certificate(to_be_signed, trailer, signature);
}

}  // namespace

Result<CertificateAuthority::Issued> CertificateAuthority::issue(const Authorities& authorities,
                                                                 const Description& description, VekLine line) {
  SigningKey key = TRY(derive_vek_key(authorities.chip, description, line));
  const Der part = TRY(vek_to_be_signed(description, line, key));
  const Issued& issuer = line == VekLine::vcek ? authorities.ask : authorities.asvk;
  Der der = TRY(signed_by(issuer.key, part, Trailer::left_out));
  return Issued{std::move(key), std::move(der)};
}

Result<CertificateAuthority> CertificateAuthority::make(const Options& options) {
  Description description{.product = options.product, .not_before = options.not_before, .csp_id = options.csp_id};
  description.tcb = options.tcb.value_or(description.profile().tcb);
  TRY(tcb_ok(description.product, description.tcb));
  if (!csp_id_ok(description.csp_id)) return Error{Errc::bad_config, "CSP_ID (1 to 64 printable ASCII characters)"};
  const SigningKey::Context context = TRY(CryptoContext::make(options.seed));
  description.chip_id = TRY(make_chip_id(*context, description.profile()));

  const char* product = snp::product_name(options.product);
  const DefaultKeys shipped = default_keys(options.product);
  const bool is_default = options.seed == kDefaultSeed;
  const SigningKey ark = TRY(authority_key(context, is_default, "ARK", product, shipped.ark));
  const SigningKey ask = TRY(authority_key(context, is_default, "ASK", product, shipped.ask));
  const SigningKey asvk = TRY(authority_key(context, is_default, "ASVK", product, shipped.asvk));
  const Der ark_part = TRY(ark_to_be_signed(description, ark));
  const Der ask_part = TRY(intermediate_to_be_signed(description, VekLine::vcek, ask, ark));
  const Der asvk_part = TRY(intermediate_to_be_signed(description, VekLine::vlek, asvk, ark));
  const Der crl_part = TRY(crl_to_be_signed(description, ark, {}));
  const SigningKey::Context chip = TRY(make_chip(context));
  const Der ark_der = TRY(signed_by(ark, ark_part, Trailer::spelled_out));
  const Der ask_der = TRY(signed_by(ark, ask_part, Trailer::spelled_out));
  const Der asvk_der = TRY(signed_by(ark, asvk_part, Trailer::spelled_out));
  const Der crl = TRY(signed_by(ark, crl_part, Trailer::spelled_out));
  Authorities authorities{chip, {ark, ark_der}, {ask, ask_der}, {asvk, asvk_der}, crl};
  Issued vcek = TRY(issue(authorities, description, VekLine::vcek));
  Issued vlek = TRY(issue(authorities, description, VekLine::vlek));
  return CertificateAuthority(std::move(description), std::move(authorities), std::move(vcek), std::move(vlek));
}

Outcome<CertificateAuthority> CertificateAuthority::create(const Options& options) {
  Result<CertificateAuthority> made = make(options);
  if (!made) return failure_at("simulated certificate authority", made.error());
  return *std::move(made);
}

Outcome<CertificateAuthority> CertificateAuthority::of_default_seed(snp::Product product) {
  return create({.product = product, .seed = kDefaultSeed, .tcb = {}, .not_before = seeded_not_before()});
}

Result<Der> CertificateAuthority::issue_vcek(Bytes hardware_id, const snp::Tcb& tcb) const {
  Description description = description_;
  if (hardware_id.size() != description.hardware_id().size()) {
    return Error{Errc::bad_length, "hardware id", hardware_id.size(), description.hardware_id().size()};
  }
  TRY(tcb_ok(description.product, tcb));
  std::ranges::copy(hardware_id, description.chip_id.begin());
  description.tcb = tcb;
  if (description.chip_id == description_.chip_id && tcb == description_.tcb) return vcek_.der;
  Issued issued = TRY(issue(authorities_, description, VekLine::vcek));
  return std::move(issued.der);
}

Result<Der> CertificateAuthority::issue_vlek(std::string_view csp_id, const snp::Tcb& tcb) const {
  if (!csp_id_ok(csp_id)) return Error{Errc::bad_config, "CSP_ID (1 to 64 printable ASCII characters)"};
  TRY(tcb_ok(description_.product, tcb));
  Description description = description_;
  description.csp_id = csp_id;
  description.tcb = tcb;
  if (description.csp_id == description_.csp_id && tcb == description_.tcb) return vlek_.der;
  Issued issued = TRY(issue(authorities_, description, VekLine::vlek));
  return std::move(issued.der);
}

Result<Der> CertificateAuthority::issue_crl(std::span<const std::uint32_t> revoked) const {
  const Der part = TRY(crl_to_be_signed(description_, authorities_.ark.key, revoked));
  return signed_by(authorities_.ark.key, part, Trailer::spelled_out);
}

Result<CertificateAuthority> CertificateAuthority::at_tcb(const snp::Tcb& tcb) const {
  TRY(tcb_ok(description_.product, tcb));
  Description description = description_;
  description.tcb = tcb;
  Issued vcek = TRY(issue(authorities_, description, VekLine::vcek));
  Issued vlek = TRY(issue(authorities_, description, VekLine::vlek));
  return CertificateAuthority(std::move(description), authorities_, std::move(vcek), std::move(vlek));
}

Result<snp::RawSignature> CertificateAuthority::sign_report(Bytes signed_part, snp::SigningKey key) const {
  switch (key) {
    case snp::SigningKey::vcek:
      return vcek_.key.sign_report(signed_part);
    case snp::SigningKey::vlek:
      return vlek_.key.sign_report(signed_part);
    case snp::SigningKey::none:
      break;
  }
  return Error{Errc::bad_value, "SIGNING_KEY (VCEK or VLEK)"};
}

}  // namespace attestbed::sim
