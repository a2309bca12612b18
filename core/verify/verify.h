// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything a relying party calls, in the order in which it calls it: parse certificates, name the roots, select_vek,
// verify_chain, verify_report, appraise.
#include "core/verify/appraise.h"         // IWYU pragma: export
#include "core/verify/certificate.h"      // IWYU pragma: export
#include "core/verify/checks.h"           // IWYU pragma: export
#include "core/verify/crl.h"              // IWYU pragma: export
#include "core/verify/refusal.h"          // IWYU pragma: export
#include "core/verify/trusted_roots.h"    // IWYU pragma: export
#include "core/verify/vek.h"              // IWYU pragma: export
#include "core/verify/verified_report.h"  // IWYU pragma: export
