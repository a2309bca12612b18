// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "proxy/backend.h"

namespace attestbed::proxy {

/// make_kbs_backend is the Key Broker Service protocol 0.4.0 over HTTP (Trustee's KBS and kbs-test): POST auth,
/// POST attest, GET resource under {url}/kbs/v0. Errors: bad_config if a file of the configuration cannot serve,
/// internal.
Outcome<std::unique_ptr<Backend>> make_kbs_backend(const BrokerConfig& config, Clock& clock);

}  // namespace attestbed::proxy
