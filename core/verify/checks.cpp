// SPDX-License-Identifier: Apache-2.0
#include "core/verify/checks.h"

namespace attestbed::verify {
namespace {

constexpr Errc kForm[] = {Errc::bad_length, Errc::report_version, Errc::report_reserved, Errc::report_policy_bits};
constexpr Errc kSelection[] = {Errc::report_unsigned, Errc::certificate_missing, Errc::vek_extension,
                               Errc::product_unknown, Errc::product_mismatch,    Errc::chip_id_mismatch,
                               Errc::tcb_mismatch};
constexpr Errc kNames[] = {Errc::vek_name};
constexpr Errc kChain[] = {Errc::certificate_missing, Errc::root_untrusted, Errc::chain_signature};
constexpr Errc kConstraints[] = {Errc::chain_constraint};
constexpr Errc kDates[] = {Errc::chain_expired, Errc::chain_not_yet_valid};
constexpr Errc kExtensions[] = {Errc::vek_extension};
constexpr Errc kSigningKey[] = {Errc::report_unsigned, Errc::certificate_missing};
constexpr Errc kProduct[] = {Errc::product_unknown, Errc::product_mismatch};
constexpr Errc kReportedTcb[] = {Errc::tcb_mismatch};
constexpr Errc kChipId[] = {Errc::chip_id_mismatch};
constexpr Errc kSignature[] = {Errc::signature_invalid};
constexpr Errc kTcbOrder[] = {Errc::report_reserved, Errc::tcb_order};
constexpr Errc kConsistency[] = {Errc::report_contradiction, Errc::launch_policy_broken};
constexpr Errc kRevocation[] = {Errc::crl_missing, Errc::crl_signature, Errc::crl_expired, Errc::certificate_revoked};

constexpr VerificationCheck kChecks[] = {
    {"form", kForm},
    {"selection", kSelection},
    {"names", kNames},
    {"chain", kChain},
    {"constraints", kConstraints},
    {"dates", kDates},
    {"extensions", kExtensions},
    {"signing key", kSigningKey},
    {"product", kProduct},
    {"reported tcb", kReportedTcb},
    {"chip id", kChipId},
    {"signature", kSignature},
    {"tcb order", kTcbOrder},
    {"consistency", kConsistency},
    {"revocation", kRevocation},
};

}  // namespace

std::span<const VerificationCheck> verification_checks() {
  return kChecks;
}

}  // namespace attestbed::verify
