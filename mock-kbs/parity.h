// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "mock-kbs/handlers.h"

namespace attestbed::kbs {

/// serve_as_kbs_test answers as the test server kbs-test does, for clients that were made for it: 417 without a body
/// for what it refuses, 400 for what is no JSON, a cookie in the form of a UUID, the token `test-token`, and the one
/// resource default/sample/test. Judged is all the same, by `next`: kbs-test compares the measurement and nothing else,
/// keeps one flag for all guests, and ends at malformed input, and none of that is worth having.
///   source  github.com/tylerfanelli/kbs-test, src/main.rs
Response serve_as_kbs_test(const Request& request, const std::function<Response(const Request&)>& next);

}  // namespace attestbed::kbs
