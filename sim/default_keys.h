// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/snp/report.h"

namespace attestbed::sim {

/// DefaultKeys are the PUBLIC TEST KEYS of the default seed, from sim/data/: whoever has the source has them.
struct DefaultKeys {
  std::string_view ark, ask, asvk;  // PKCS #8 PEM
};
DefaultKeys default_keys(snp::Product product);

}  // namespace attestbed::sim
