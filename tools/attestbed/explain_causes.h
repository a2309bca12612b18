// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/errc.h"

namespace attestbed::tools {

/// Cause is what most likely stands behind a failed check, and what to do or run next.
///   check  null: whichever check met the code
///   next   may name a member of NextPlaces in braces, {report} or {fetch vcek}; filled_in puts this run's own words
///          in their places
struct Cause {
  const char* check;
  Errc code;
  const char* cause;
  const char* next;
};

/// cause_of finds the row of a check and the code it failed with; every pair that verification_checks() and
/// policy_checks() name has one, and every code of a KDS client for whichever check. Null for any other.
const Cause* cause_of(std::string_view check, Errc code);

/// NextPlaces are the words of this run, quoted for a shell where they need it; those about a KDS are what
/// fetch_commands.h makes.
struct NextPlaces {
  std::string report, certs, root, policy;
  std::string fetch_vcek, fetch_crl, try_kds, kds_options, another_kds;
};
std::string filled_in(std::string_view next, const NextPlaces& places);

/// shell_words quotes paths for a POSIX shell and joins them.
std::string shell_words(const std::vector<std::string>& words);

}  // namespace attestbed::tools
