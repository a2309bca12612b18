// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/exit_code.h"

#include <cstdio>

namespace attestbed::tools {

int exit_code_of(Errc code) {
  switch (code) {
    case Errc::bad_config:
    case Errc::image_malformed:
    case Errc::kernel_hashes_missing:
      return kExitUsage;
    case Errc::internal:
    case Errc::io_failed:
    case Errc::too_large:
    case Errc::kds_unreachable:
    case Errc::kds_untrusted:
    case Errc::kds_timeout:
    case Errc::kds_busy:
    case Errc::kds_failed:
    case Errc::kds_malformed:
    case Errc::kds_offline:
    case Errc::snp_unavailable:
      return kExitCouldNotRun;
    default:
      return kExitRefused;
  }
}

int refuse_to_begin(const char* command, const verify::Refusal& why) {
  std::fprintf(stderr, "attestbed %s: %s\n", command, why.text().c_str());
  return exit_code_of(why.code);
}

int refuse_to_begin(const char* command, const sim::Failure& why) {
  std::fprintf(stderr, "attestbed %s: %s: %s; %s\n", command, error_name(why.code), why.text.c_str(),
               file_remedy(why.code));
  return exit_code_of(why.code);
}

}  // namespace attestbed::tools
