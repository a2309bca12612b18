// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "mock-kbs/refuse.h"

namespace attestbed::kbs {

/// find_cookie takes one cookie out of a Cookie header (RFC 6265 section 4.2.1). The value must be `digits` lower-case
/// hex digits, and the name must occur once.
///   errors  session_missing; session_unknown for a value of another form or a name given twice
Checked<std::string> find_cookie(std::string_view cookies, std::string_view name, std::size_t digits);

/// session_cookie_text is the Set-Cookie value, with Expires and no other attribute, as Trustee sends it.
std::string session_cookie_text(std::string_view cookie, verify::Time expires);

/// bearer_token is the token of an Authorization header with scheme Bearer (any case); empty if there is none.
std::string_view bearer_token(std::string_view authorization);

/// http_date is RFC 9110's IMF-fixdate: "Thu, 01 Jan 2026 00:00:00 GMT".
std::string http_date(verify::Time time);

}  // namespace attestbed::kbs
