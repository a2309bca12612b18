// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/exit_code.h"

namespace attestbed::tools {

int exit_code_of(Errc code) {
  switch (code) {
    case Errc::bad_config:
      return kExitUsage;
    case Errc::internal:
    case Errc::io_failed:
    case Errc::kds_unreachable:
    case Errc::kds_untrusted:
    case Errc::kds_timeout:
    case Errc::kds_busy:
    case Errc::kds_malformed:
    case Errc::kds_offline:
    case Errc::snp_unavailable:
      return kExitCouldNotRun;
    default:
      return kExitRefused;
  }
}

}  // namespace attestbed::tools
