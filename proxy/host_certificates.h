// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/snp/report.h"

namespace attestbed::proxy {

/// HostCertificates is what `--certs DIR` holds, as certificate tables: for guests that bring no certificates of their
/// own. Nothing is verified here, since the broker does that; what is attached to a report goes by the key that signed
/// it, VCEK or VLEK.
class HostCertificates {
 public:
  HostCertificates() = default;

  /// load reads vcek, ask and ark for reports signed by a VCEK; vlek, asvk (or ask) and ark for those signed by a VLEK,
  /// and these in DIR/vlek if there is such a directory, as `snp-sim certs` writes them. Each has the ending .der,
  /// .pem, .crt or .cer, and holds one certificate, DER or PEM. Only vcek and vlek are needed, one of both.
  ///   errors  bad_config with what was wrong in `where`, about the file or directory that `at` then names
  static Result<HostCertificates> load(const std::string& directory, std::string& at);

  /// table_for is the certificate table to go with a report; empty if there is none for its key, or none was loaded.
  ///   report  1184 octets
  Bytes table_for(Bytes report) const;

 private:
  std::vector<std::uint8_t> vcek_, vlek_;
};

/// certificate_der is the DER of the one certificate that a file holds as DER or PEM: the outermost SEQUENCE is whole
/// and nothing follows. Errors: certificate_malformed.
Result<std::vector<std::uint8_t>> certificate_der(Bytes file);

}  // namespace attestbed::proxy
