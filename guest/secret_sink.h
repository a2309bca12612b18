// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "guest/options.h"

namespace attestbed::guest {

/// check_destinations refuses, before the host is asked for anything, files that could not be written afterwards: a
/// secret that is released and then lost costs a new attempt. Both are new files: nothing is ever replaced.
///   errors  io_failed with errno in `found` (EEXIST, EISDIR, …); bad_config if both are the same file
Status check_destinations(const Options& options);

/// hand_on gives the secret to where `options` says and returns its name: a file (written whole or not at all),
/// standard output, or nothing. Errors: io_failed.
Result<std::string> hand_on(Bytes secret, const Options& options);

}  // namespace attestbed::guest
