// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/verify/trusted_roots.h"
#include "kds-client/client.h"

namespace attestbed::kds {

/// complete_endorsements fetches what the endorsement of `report` lacks and appends it to `certificates`: its VCEK, if
/// none of them fits, and its intermediate, if none of them has that name and `roots` are not AMD's, whose
/// intermediates core/verify has. A VLEK cannot be had from a KDS and is left missing.
///   returns  which requests the cache answered: for forget_refused, if the chain does not verify
///   errors   those of Client::fetch; kds_chip_masked; product_unknown
Checked<std::vector<Request>> complete_endorsements(Client& client, const snp::RawReport& report,
                                                    std::vector<verify::Certificate>& certificates,
                                                    const verify::TrustedRoots& roots, Deadline until);

/// vcek_requests are the requests of which one has the VCEK of `report`, the likeliest first: version 2 does not say
/// the product. Errors: product_unknown; those of Request::vcek.
Checked<std::vector<Request>> vcek_requests(const snp::RawReport& report);

/// forget_refused drops from the cache what `refusal` may be the fault of, so that whoever wrote into the cache cannot
/// refuse for ever what the KDS answers rightly. True if something was dropped: then another attempt may end otherwise.
/// Nothing is dropped offline, where there is no other copy, nor for a refusal that is not about the chain.
bool forget_refused(Client& client, const std::vector<Request>& from_cache, const Refusal& refusal);

/// crl_request asks for the CRL of the root behind `vek`.
Request crl_request(const verify::Vek& vek);

/// fetch_crl gets the CRL of the root behind `vek`; one from the cache that does not serve at `at` is fetched anew.
/// Errors: those of Client::fetch; crl_malformed.
Checked<verify::Crl> fetch_crl(Client& client, const verify::Vek& vek, verify::Time at, Deadline until);

}  // namespace attestbed::kds
