// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed {

/// Entropy fills all of `into` with octets fit for private keys, or fails and the attempt with it.
class Entropy {
 public:
  virtual Status fill(MutBytes into) = 0;

 protected:
  ~Entropy() = default;
};

}  // namespace attestbed
