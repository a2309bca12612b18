// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/certificate.h"

namespace attestbed::tools {

inline constexpr std::size_t kMaxInputBytes = verify::kMaxPemBytes;
inline constexpr std::size_t kMaxFilesPerDirectory = 256;

/// read_file reads a file of at most `max` octets. Errors: io_failed, too_large.
verify::Checked<std::vector<std::uint8_t>> read_file(const std::string& path, std::size_t max = kMaxInputBytes);

struct LoadedCertificates {
  std::vector<verify::Certificate> certificates;
  std::vector<std::string> warnings;
};

/// load_certificates reads files, and of directories (not below them) the regular files *.der, *.crt, *.cer and *.pem
/// in the order of their names. A malformed file that was named ends the run; one that was only met in a directory
/// becomes a warning that names it, since it may have nothing to do with the report.
///   errors  io_failed; too_large for more than kMaxFilesPerDirectory; certificate_malformed
verify::Checked<LoadedCertificates> load_certificates(const std::vector<std::string>& paths);

}  // namespace attestbed::tools
