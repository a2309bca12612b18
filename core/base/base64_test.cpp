// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.h"

#include <gtest/gtest.h>

namespace attestbed {
TEST(Base64, Placeholder) {
  SUCCEED();
}
}  // namespace attestbed
