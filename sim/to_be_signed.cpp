// SPDX-License-Identifier: Apache-2.0
#include "sim/to_be_signed.h"

namespace attestbed::sim {
namespace {

// AMD's VLEKs live a year and are then renewed. A seeded authority begins on a fixed day and renews nothing, so its
// VLEK would long have expired: a simulated one lives as long as a VCEK.
constexpr int kSimulatedVlekYears = kVcekYears;

Validity authority_validity(const Description& description) {
  return years_from(description.not_before, kAuthorityYears);
}

}  // namespace

Result<Der> ark_to_be_signed(const Description& description, const SigningKey& ark) {
  const Der spki = TRY(ark.spki());
  const KeyId id = TRY(ark.key_id());
  return tbs_ark(description.profile(), authority_validity(description), spki, id);
}

Result<Der> intermediate_to_be_signed(const Description& description, VekLine line, const SigningKey& own,
                                      const SigningKey& ark) {
  const Der spki = TRY(own.spki());
  const KeyId id = TRY(own.key_id());
  const KeyId ark_id = TRY(ark.key_id());
  return tbs_intermediate(description.profile(), line, authority_validity(description), spki, id, ark_id);
}

Result<Der> vek_to_be_signed(const Description& description, VekLine line, const SigningKey& own) {
  const Der spki = TRY(own.spki());
  const ProductProfile& profile = description.profile();
  if (line == VekLine::vcek) {
    return tbs_vcek(profile, years_from(description.not_before, kVcekYears), spki, description.tcb,
                    description.hardware_id());
  }
  return tbs_vlek(profile, years_from(description.not_before, kSimulatedVlekYears), spki, description.tcb,
                  description.csp_id);
}

Result<Der> crl_to_be_signed(const Description& description, const SigningKey& ark,
                             std::span<const std::uint32_t> revoked) {
  const KeyId ark_id = TRY(ark.key_id());
  return tbs_crl(description.profile(), authority_validity(description), ark_id, revoked);
}

Result<SigningKey> derive_vek_key(const SigningKey::Context& chip, const Description& description, VekLine line) {
  const bool vcek = line == VekLine::vcek;
  const snp::TcbVersion tcb = encode_tcb(description.product, description.tcb);
  const Bytes owner = vcek ? Bytes(description.chip_id) : bytes_of(description.csp_id);
  Der input(tcb.begin(), tcb.end());
  input.insert(input.end(), owner.begin(), owner.end());
  return SigningKey::make_p384(chip, vcek ? "VCEK" : "VLEK", input);
}

}  // namespace attestbed::sim
