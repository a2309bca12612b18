// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_channel.h"
#include "guest/options.h"
#include "guest/summary.h"

namespace attestbed::guest {

/// Memory is what an attempt works in: too large for a small stack, wiped by its parts.
struct Memory {
  Workspace workspace;
  snp::ChannelPages pages;
};

/// run_attempt connects to firmware and proxy, attests once, and hands the secret on. It returns within the budget
/// plus the time that writing a file takes. Whatever happens is in the Summary.
Summary run_attempt(const Options& options, Clock& clock, Entropy& entropy, Memory& memory);

}  // namespace attestbed::guest
