// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/attestation.h"
#include "core/protocol/ext.h"
#include "proxy/session_log.h"

namespace attestbed::proxy {

/// explain_refusal compares the guest's evidence with what it was given, for the case that the broker refuses it: a KBS
/// says no more than 401. Nothing is judged here. The evidence goes to the broker whatever comes of this.
///   logs     a mismatch each for another challenge, and for REPORT_DATA that is not that of the stated binding
///   returns  what the detail of a refusal ends with: the mismatches, or, if there are none, which brokers take evidence
///            of another binding
std::string explain_refusal(const protocol::AttestationRequest& request, const protocol::Challenge& challenge,
                            const protocol::Terms& terms, const SessionLog& log);

}  // namespace attestbed::proxy
