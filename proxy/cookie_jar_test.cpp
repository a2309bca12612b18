// SPDX-License-Identifier: Apache-2.0
#include "proxy/cookie_jar.h"

#include <gtest/gtest.h>

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

// The examples of RFC 6265 section 3.1 speak of www.example.com; times are those of RFC 9110's "Sun, 06 Nov 1994
// 08:49:37 GMT", which is 784111777.
constexpr std::int64_t kThen = 784111777;

struct Case {
  const char* name;
  const char* set_cookie;
  const char* sent;                              // with a request for /kbs/v0/attest
  std::optional<std::chrono::seconds> lifetime;  // of `id`
};
std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.name;
}
class Cookies : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Jar, Cookies,
    testing::Values(
        Case{"plain", "id=31d4d96e407aad42", "id=31d4d96e407aad42", {}},
        Case{"Trustee's", "id=a; Expires=Sun, 06 Nov 1994 08:54:37 GMT", "id=a", 300s},
        Case{"spaces", " id = a\t;  Max-Age = 60 ", "id=a", 60s}, Case{"a value with =", "id=a=b==", "id=a=b==", {}},
        Case{"quotes belong to the value", "id=\"a\"", "id=\"a\"", {}}, Case{"no value", "id=", "id=", {}},
        Case{"no name", "=a", "", {}}, Case{"no pair", "id; Path=/", "", {}},
        Case{"a control octet", "id=a\x01", "", {}},
        Case{"Max-Age goes before Expires", "id=a; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "id=a", 60s},
        Case{"the last of two counts", "id=a; max-age=60; MAX-AGE=70", "id=a", 70s},
        Case{"past by its server's own date", "id=a; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "", 0s},
        Case{"Max-Age of nothing", "id=a; Max-Age=0", "", 0s},
        Case{"Max-Age below nothing", "id=a; Max-Age=-9223372036854775809", "", 0s},
        Case{"Max-Age beyond all", "id=a; Max-Age=9223372036854775808", "id=a", 87600h},
        Case{"Max-Age that is none", "id=a; Max-Age=1h", "id=a", {}},
        Case{"a date that is none", "id=a; Expires=soon", "id=a", {}},
        Case{"path above", "id=a; Path=/kbs", "id=a", {}}, Case{"path of all", "id=a; Path=/", "id=a", {}},
        Case{"the very path", "id=a; Path=/kbs/v0/attest", "id=a", {}},
        Case{"path with its slash", "id=a; Path=/kbs/v0/", "id=a", {}},
        Case{"a path that is no beginning", "id=a; Path=/other", "", {}},
        Case{"a path that ends inside a name", "id=a; Path=/kbs/v", "", {}},
        Case{"no path, so the default", "id=a; Path=kbs", "id=a", {}},
        Case{"its own host", "id=a; Domain=www.example.com", "id=a", {}},
        Case{"the domain above", "id=a; Domain=.Example.COM", "id=a", {}},
        Case{"another host", "id=a; Domain=other.example.com", "", {}},
        Case{"a host below", "id=a; Domain=a.www.example.com", "", {}},
        Case{"the end of a name", "id=a; Domain=ample.com", "", {}}, Case{"Secure over http", "id=a; Secure", "", {}},
        Case{"HttpOnly and what nobody knows", "id=a; HttpOnly; SameSite=Lax; x", "id=a", {}}));

TEST_P(Cookies, FollowRfc6265) {
  CookieJar jar("www.example.com", false);
  jar.take(GetParam().set_cookie, "/kbs/v0/auth", kThen);
  EXPECT_EQ(jar.field("/kbs/v0/attest"), GetParam().sent);
  EXPECT_EQ(jar.lifetime("id"), GetParam().lifetime);
}

TEST(CookieJar, DefaultPathIsTheFolderOfTheRequest) {
  CookieJar jar("www.example.com", false);
  jar.take("id=a", "/kbs/v0/auth", kThen);
  EXPECT_EQ(jar.field("/kbs/v0/resource/default/sample/test"), "id=a");
  EXPECT_EQ(jar.field("/kbs"), "");
}

TEST(CookieJar, SecureIsForHttps) {
  CookieJar jar("www.example.com", true);
  jar.take("id=a; Secure", "/", kThen);
  EXPECT_EQ(jar.field("/"), "id=a");
}

TEST(CookieJar, AddressesAreNoDomains) {
  CookieJar jar("127.0.0.1", false);
  jar.take("id=a; Domain=0.0.1", "/", kThen);
  EXPECT_EQ(jar.field("/"), "");
  jar.take("id=a; Domain=127.0.0.1", "/", kThen);
  EXPECT_EQ(jar.field("/"), "id=a");
}

TEST(CookieJar, LaterOnesReplaceAndRemove) {
  CookieJar jar("www.example.com", false);
  jar.take("id=a; Max-Age=60", "/", kThen);
  jar.take("lb=1", "/", kThen);
  EXPECT_EQ(jar.field("/"), "id=a; lb=1");
  jar.take("id=b", "/", kThen);
  EXPECT_EQ(jar.field("/"), "lb=1; id=b");
  EXPECT_EQ(jar.value("id"), "b");
  EXPECT_EQ(jar.lifetime("id"), std::nullopt);
  jar.take("id=; Max-Age=0", "/", kThen);
  EXPECT_EQ(jar.field("/"), "lb=1");
  EXPECT_EQ(jar.value("id"), "");
  jar.clear();
  EXPECT_EQ(jar.field("/"), "");
}

TEST(CookieJar, HoldsSoManyAndNoMore) {
  CookieJar jar("www.example.com", false);
  for (int i = 0; i < 100; ++i) jar.take("c" + std::to_string(i) + "=1", "/", kThen);
  EXPECT_EQ(jar.value("c15"), "1");
  EXPECT_EQ(jar.value("c16"), "");
  jar.take("c0=2", "/", kThen);
  EXPECT_EQ(jar.value("c0"), "2") << "a full jar still replaces";
  jar.take("c1=" + std::string(9000, 'x'), "/", kThen);
  EXPECT_EQ(jar.value("c1"), "1");
}

}  // namespace
}  // namespace attestbed::proxy
