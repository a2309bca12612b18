// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace attestbed::proxy {

/// Failure is why an attempt ended: what the guest is told, and what only the proxy's log holds.
///   code      one of the codes a proxy may send (error_row(code).on_wire)
///   detail    for guest and log: the proxy's own words, never a peer's text
///   received  for the log alone: the beginning of what a broker sent, or libcurl's account of why nothing came; of at
///             most kMaxReceivedBytes, as `escaped` writes them; never a token, a cookie or any part of a sealed secret
struct Failure {
  Errc code = Errc::proxy_internal;
  std::string detail;
  std::string received;
};

inline constexpr std::size_t kMaxReceivedBytes = 200;

/// Outcome is a Result whose error can be shown to a guest.
template <class T>
using Outcome = Result<T, Failure>;

/// escaped is `octets` as a log can show them: printable ASCII as it is, a backslash twice, line feed, carriage return
/// and tab as \n, \r and \t, every other octet as \x1b.
std::string escaped(std::string_view octets);

/// brief is an Error in at most 200 octets, for `detail`: "bad_length at evidence.Snp.report, expected 1184, found 3".
std::string brief(const Error& error);

}  // namespace attestbed::proxy
