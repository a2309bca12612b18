// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/platform/clock.h"
#include "core/platform/entropy.h"
#include "core/platform/report_provider.h"
#include "core/platform/transport.h"

namespace attestbed {

/// Platform is what a caller of attest() owes: a line to the proxy, a source of reports, randomness and time.
struct Platform {
  Transport& wire;
  ReportProvider& reports;
  Entropy& entropy;
  Clock& clock;
};

}  // namespace attestbed
