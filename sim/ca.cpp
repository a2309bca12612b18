// SPDX-License-Identifier: Apache-2.0
#include "sim/ca.h"

#include <openssl/rand.h>

#include <algorithm>

#include "sim/default_keys.h"

namespace attestbed::sim {
namespace {

constexpr auto kExplicit = Trailer::spelled_out;

Result<snp::ChipId> make_chip_id(const CryptoContext& context, const char* product) {
  OSSL_LIB_CTX* library = TRY(context.begin("chip id", bytes_of(product)));
  snp::ChipId id{};
  const MutBytes rest = MutBytes(id).subspan(kSimulationMarker.size());
  std::copy(kSimulationMarker.begin(), kSimulationMarker.end(), id.begin());
  if (RAND_bytes_ex(library, rest.data(), rest.size(), 0) != 1) return Error{Errc::internal, "RAND_bytes_ex"};
  return id;
}

Result<SigningKey> authority_key(const SigningKey::Context& context, std::string_view label, const char* product,
                                 std::string_view shipped) {
  if (context->seed() == kDefaultSeed) return SigningKey::from_pem(context, shipped);
  return SigningKey::make_rsa4096(context, label, bytes_of(product));
}

Der text_of_tcb(snp::Product product, const snp::Tcb& tcb, const snp::ChipId& chip_id) {
  const snp::TcbVersion octets = encode_tcb(product, tcb);
  Der text(octets.begin(), octets.end());
  text.insert(text.end(), chip_id.begin(), chip_id.end());
  return text;
}

}  // namespace

Result<CertificateAuthority::SignedParts> CertificateAuthority::signed_parts(const ProductProfile& profile,
                                                                             const snp::ChipId& chip_id,
                                                                             const snp::Tcb& tcb,
                                                                             std::chrono::sys_seconds not_before,
                                                                             const Keys& keys) {
  const Validity authority = years_from(not_before, kAuthorityYears);
  const Der ark_key = TRY(keys.ark.spki());
  const Der ask_key = TRY(keys.ask.spki());
  const Der vcek_key = TRY(keys.vcek.spki());
  const KeyId ark_id = TRY(keys.ark.key_id());
  const KeyId ask_id = TRY(keys.ask.key_id());
  return SignedParts{tbs_ark(profile, authority, ark_key, ark_id), tbs_ask(profile, authority, ask_key, ask_id, ark_id),
                     tbs_vcek(profile, years_from(not_before, kVcekYears), vcek_key, tcb, chip_id)};
}

Result<CertificateAuthority> CertificateAuthority::make(const Options& options) {
  const ProductProfile& profile = *TRY(profile_of(options.product));
  const char* product = snp::product_name(options.product);
  const SigningKey::Context context = TRY(CryptoContext::make(options.seed));
  const snp::Tcb tcb = options.tcb.value_or(profile.tcb);
  const snp::ChipId chip_id = TRY(make_chip_id(*context, product));
  const DefaultKeys shipped = default_keys(options.product);

  SigningKey ark = TRY(authority_key(context, "ARK", product, shipped.ark));
  SigningKey ask = TRY(authority_key(context, "ASK", product, shipped.ask));
  SigningKey vcek = TRY(SigningKey::make_p384(context, "VCEK", text_of_tcb(options.product, tcb, chip_id)));
  const SignedParts parts = TRY(signed_parts(profile, chip_id, tcb, options.not_before, {ark, ask, vcek}));
  const Der ark_signature = TRY(ark.sign_certificate(parts.ark));
  const Der ask_signature = TRY(ark.sign_certificate(parts.ask));
  const Der vcek_signature = TRY(ask.sign_certificate(parts.vcek));
  return CertificateAuthority(profile, chip_id, tcb, options.not_before,
                              {ark, certificate(parts.ark, kExplicit, ark_signature)},
                              {ask, certificate(parts.ask, kExplicit, ask_signature)},
                              {vcek, certificate(parts.vcek, Trailer::left_out, vcek_signature)});
}

Outcome<CertificateAuthority> CertificateAuthority::create(const Options& options) {
  Result<CertificateAuthority> made = make(options);
  if (!made) return failure_at("simulated certificate authority", made.error());
  return *std::move(made);
}

Outcome<CertificateAuthority> CertificateAuthority::of_default_seed(snp::Product product) {
  return create({.product = product, .seed = kDefaultSeed, .tcb = {}, .not_before = seeded_not_before()});
}

}  // namespace attestbed::sim
