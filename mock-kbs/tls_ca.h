// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// TestCa says what make_test_ca makes.
///   names  host names and numeric addresses that the server's certificate is for
///   days   how long the certificates hold
struct TestCa {
  std::vector<std::string> names{"127.0.0.1", "::1", "localhost"};
  unsigned days = 30;
};
inline constexpr unsigned kMaxTestCaDays = 3650;

/// make_test_ca writes a CA that is for tests alone into a new directory: `ca.pem`, `server.pem`, `server.key`,
/// `client.pem` and `client.key`, all P-256. The CA's own key signs these two and is gone: nobody can make a third.
///   errors  bad_config for names that are none and days beyond the bound; io_failed; internal
///   spec    RFC 5280
Checked<void> make_test_ca(const std::string& directory, const TestCa& ca, verify::Time now);

}  // namespace attestbed::kbs
