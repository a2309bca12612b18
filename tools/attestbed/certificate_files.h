// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/certificate.h"
#include "tools/attestbed/input_file.h"

namespace attestbed::tools {

inline constexpr std::size_t kMaxFilesPerDirectory = 256;

struct LoadedCertificates {
  std::vector<verify::Certificate> certificates;
  std::vector<std::string> warnings;
};

/// load_certificates reads files, DER, PEM or certificate tables (what an extended guest request gives), and of
/// directories the regular files *.der, *.crt, *.cer and *.pem in the order of their names; of what is below a
/// directory only `vlek`, which a CA directory of `snp-sim certs` has. A malformed file that was named ends the run;
/// one that was only met in a directory becomes a warning that names it, since it may have nothing to do with the
/// report.
///   errors  io_failed; too_large, also for more than kMaxFilesPerDirectory; certificate_malformed; those of
///           snp::CertificateTable::parse
verify::Checked<LoadedCertificates> load_certificates(const std::vector<std::string>& paths);

}  // namespace attestbed::tools
