// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guest/firmware.h"
#include "guest/options.h"
#include "guest/summary.h"

namespace attestbed::guest {

/// Memory is what an attempt works in: too large for a small stack, wiped by its parts.
struct Memory {
  Workspace workspace;
  FirmwarePages pages;
};

/// run_attempt connects to firmware and proxy, attests once, and hands the secret on. It returns within the budget
/// plus the time that writing a file takes, plus a second of silence after an attempt that lost step on a serial line.
/// Whatever happens is in the Summary.
Summary run_attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory);

/// run_attempt_over is run_attempt over a line that is open already; options.line is not looked at.
Summary run_attempt_over(Transport& wire, LineKind kind, const Options& options, Clock& clock, Entropy& entropy,
                         Memory& memory);

}  // namespace attestbed::guest
