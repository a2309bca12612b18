// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/http_text.h"

#include <gtest/gtest.h>

namespace attestbed::kbs {
namespace {

TEST(HttpDate, IsTheExampleOfRfc9110) {
  EXPECT_EQ(http_date(verify::Time(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(verify::Time(std::chrono::seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(SessionCookie, HasExpiresAndNothingElse) {
  EXPECT_EQ(session_cookie_text("00ff", verify::Time(std::chrono::seconds(784111777))),
            "kbs-session-id=00ff; Expires=Sun, 06 Nov 1994 08:49:37 GMT");
}

struct CookieCase {
  const char* header;
  Errc code;  // 0: found
};
constexpr CookieCase kCookies[] = {
    {"id=00ff", Errc{}},
    {"a=b; id=00ff", Errc{}},
    {"a=b;id=00ff;c=d", Errc{}},
    {"  id=00ff  ", Errc{}},
    {"xid=0000; id=00ff", Errc{}},
    {"", Errc::session_missing},
    {"id", Errc::session_missing},
    {"idd=00ff", Errc::session_missing},
    {"ID=00ff", Errc::session_missing},
    {";;;", Errc::session_missing},
    {"id=", Errc::session_unknown},
    {"id=00f", Errc::session_unknown},
    {"id=00fff", Errc::session_unknown},
    {"id=00FF", Errc::session_unknown},
    {"id=\"0f\"", Errc::session_unknown},
    {"id= 0ff", Errc::session_unknown},
    {"id=00ff; id=00ff", Errc::session_unknown},
};

TEST(FindCookie, TakesOneOfTheRightFormAndRefusesTheRest) {
  for (const CookieCase& cookie : kCookies) {
    SCOPED_TRACE(cookie.header);
    const Checked<std::string> found = find_cookie(cookie.header, "id", 4);
    EXPECT_EQ(found ? Errc{} : found.error().code, cookie.code);
    if (found) {
      EXPECT_EQ(*found, "00ff");
    }
  }
}

TEST(BearerToken, KnowsOneScheme) {
  EXPECT_EQ(bearer_token("Bearer a.b.c"), "a.b.c");
  EXPECT_EQ(bearer_token("bEARER  a.b.c "), "a.b.c");
  for (const char* header : {"", "Bearer", "Bearer ", "Basic a.b.c", "a.b.c", "Bearera.b.c"}) {
    EXPECT_EQ(bearer_token(header), "") << header;
  }
}

}  // namespace
}  // namespace attestbed::kbs
