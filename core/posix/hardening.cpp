// SPDX-License-Identifier: Apache-2.0
#include "core/posix/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

namespace attestbed::posix {

Status forbid_core_dumps() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) {
    return Error{Errc::io_failed, "setrlimit RLIMIT_CORE", static_cast<std::uint64_t>(errno)};
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Error{Errc::io_failed, "prctl PR_SET_DUMPABLE", static_cast<std::uint64_t>(errno)};
  }
  rlimit now{1, 1};
  if (getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_cur != 0 || now.rlim_max != 0) {
    return Error{Errc::io_failed, "RLIMIT_CORE does not stay zero"};
  }
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return Error{Errc::io_failed, "the process stays dumpable"};
  return ok();
}

}  // namespace attestbed::posix
