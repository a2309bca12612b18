// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/verify/vek.h"

namespace attestbed::tools {

/// FetchFrom is who may have the certificates of a report's chip.
///   kds        URL of the KDS that the user named; empty: AMD's, unless the chip is simulated
///   simulated  AMD has never heard of this chip: a directory of `snp-sim certs` has its certificates
struct FetchFrom {
  std::string kds{};
  bool simulated = false;
};

/// fetch_vcek_command is how people get the certificate of a report's chip and REPORTED_TCB: a shell command that asks
/// the KDS, and what to do with the file; of a simulated chip the directory to name, or how to serve it. Where the
/// report does not say enough (no report, a masked chip) the address has the missing parts in angle brackets; of a VLEK
/// it says who has it.
std::string fetch_vcek_command(const FetchFrom& from, const std::optional<snp::RawReport>& report);

/// fetch_crl_command is the same for the CRL of the root behind `vek`; empty without one.
std::string fetch_crl_command(const FetchFrom& from, const std::optional<verify::Vek>& vek);

/// try_kds_command asks the KDS for what every KDS has: the chain of the report's product.
std::string try_kds_command(const FetchFrom& from, const std::optional<snp::RawReport>& report);

/// kds_options are the words that let this program itself ask: "--kds amd".
std::string kds_options(const FetchFrom& from);

/// another_kds says whom to ask where the KDS that was asked does not know the chip.
std::string another_kds(const FetchFrom& from);

}  // namespace attestbed::tools
