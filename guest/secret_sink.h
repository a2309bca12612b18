// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "guest/options.h"

namespace attestbed::guest {

/// SecretPlace is a destination of another kind than a file or standard output.
class SecretPlace {
 public:
  /// check refuses, before the host is asked for anything, what could not be done afterwards.
  virtual Status check() = 0;
  /// take hands the secret on, whole or not at all, and returns the name of where it went.
  virtual Result<std::string> take(Bytes secret) = 0;

 protected:
  ~SecretPlace() = default;
};

/// check_destinations refuses, before the host is asked for anything, files that could not be written afterwards: a
/// secret that is released and then lost costs a new attempt. Both are new files: nothing is ever replaced.
///   errors  io_failed with errno in `found` (EEXIST, EISDIR, …); bad_config if both are the same file; those of the
///   place
Status check_destinations(const Options& options);

/// hand_on gives the secret to where `options` says and returns its name: a file (written whole or not at all),
/// standard output, a place, or nothing. Errors: io_failed, and those of the place.
Result<std::string> hand_on(Bytes secret, const Options& options);

}  // namespace attestbed::guest
