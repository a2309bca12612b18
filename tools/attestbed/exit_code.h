// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/errc.h"
#include "core/verify/refusal.h"
#include "sim/failure.h"

namespace attestbed::tools {

inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCouldNotRun = 3;

/// exit_code_of is what a program ends with that was refused so:
///   refused        a check failed, or what is to be judged or shown is malformed: a report, its certificates
///   usage          the command line, or a file of the user's own, is not what it must be: a policy, roots, revocation
///                  lists, an image to measure
///   could not run  a file cannot be read or is larger than is read, or the KDS cannot be asked
int exit_code_of(Errc code);

/// refuse_to_begin says on standard error why a subcommand cannot begin, and returns the exit code.
int refuse_to_begin(const char* command, const verify::Refusal& why);
int refuse_to_begin(const char* command, const sim::Failure& why);

}  // namespace attestbed::tools
