// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/protocol/attestation.h"
#include "core/protocol/ext.h"
#include "proxy/session_log.h"

namespace attestbed::proxy {

/// set_aside_unreadable_certs takes from `request` a certificate table that cannot be read, and logs why, if the broker
/// is to have a chain that is made of it (kbs-sha384). The evidence then goes as if the guest had brought none, so that
/// those of --certs may serve. Under svsm-sha512 a table goes as the octets that it is.
void set_aside_unreadable_certs(protocol::AttestationRequest& request, const protocol::Terms& terms,
                                const SessionLog& log);

/// explain_refusal compares the guest's evidence with what it was given, for the case that the broker refuses it: a KBS
/// says no more than 401. Nothing is judged here. The evidence goes to the broker whatever comes of this.
///   logs     a mismatch each for another challenge, and for REPORT_DATA that is not that of the stated binding
///   returns  what the detail of a refusal ends with: the mismatches, or which brokers take another binding
std::string explain_refusal(const protocol::AttestationRequest& request, const protocol::Challenge& challenge,
                            const protocol::Terms& terms, const SessionLog& log);

}  // namespace attestbed::proxy
