// SPDX-License-Identifier: Apache-2.0
#include "http-client/service_url.h"

#include <gtest/gtest.h>

namespace attestbed::http {
namespace {

struct UrlCase {
  const char* text;
  const char* accepted;  // null: refused
};
std::ostream& operator<<(std::ostream& out, const UrlCase& url) {
  return out << url.text;
}
class ServiceUrls : public testing::TestWithParam<UrlCase> {};
INSTANTIATE_TEST_SUITE_P(
    Http, ServiceUrls,
    testing::Values(
        UrlCase{"https://kbs.example", "https://kbs.example"},
        UrlCase{"https://kbs.example:8443/base/", "https://kbs.example:8443/base"},
        UrlCase{"http://127.0.0.1:8080/", "http://127.0.0.1:8080"}, UrlCase{"http://127.255.0.9", "http://127.255.0.9"},
        UrlCase{"http://localhost", "http://localhost"}, UrlCase{"http://[::1]:8080", "http://[::1]:8080"},
        UrlCase{"http://localhost.evil.example", nullptr}, UrlCase{"http://127.0.0.1.evil.example", nullptr},
        UrlCase{"http://10.0.0.1", nullptr}, UrlCase{"http://0.0.0.0", nullptr}, UrlCase{"http://[::2]", nullptr},
        UrlCase{"http://[::]", nullptr}, UrlCase{"http://128.0.0.1", nullptr}, UrlCase{"ftp://127.0.0.1", nullptr},
        UrlCase{"file:///etc/passwd", nullptr}, UrlCase{"kbs.example", nullptr}, UrlCase{"", nullptr},
        UrlCase{"https://", nullptr}, UrlCase{"https://me:secret@kbs.example", nullptr},
        UrlCase{"https://127.0.0.1@kbs.example", nullptr}, UrlCase{"https://kbs.example/?x=1", nullptr},
        UrlCase{"https://kbs.example/#f", nullptr}, UrlCase{"https://kbs example", nullptr},
        UrlCase{"https:/kbs.example", nullptr}, UrlCase{"https:///kbs.example", nullptr},
        UrlCase{"http:/localhost/user@kbs.example", nullptr}, UrlCase{"https://kbs.example/user@other", nullptr},
        UrlCase{"http://127.0.0.1:", nullptr}, UrlCase{"https://kbs.example:/base", nullptr},
        UrlCase{"http://[::1]:", nullptr}, UrlCase{"http://[::1]", "http://[::1]"},
        UrlCase{"https://kbs.example/a:", "https://kbs.example/a:"}, UrlCase{"https://@kbs.example", nullptr},
        UrlCase{"https://kbs.example/a%40b", "https://kbs.example/a%40b"}));

TEST_P(ServiceUrls, AreAcceptedInOneForm) {
  const ServiceUrl parsed = parse_service_url(GetParam().text, PlainHttp::loopback_only);
  EXPECT_EQ(parsed.url, GetParam().accepted == nullptr ? "" : GetParam().accepted) << parsed.problem;
  EXPECT_EQ(parsed.problem.empty(), GetParam().accepted != nullptr);
}

TEST(ServiceUrl, PlainHttpElsewhereNeedsItsName) {
  EXPECT_EQ(parse_service_url("http://kbs.example", PlainHttp::anywhere).url, "http://kbs.example");
}

TEST(ServiceUrl, IsShownWithoutUserInformation) {
  EXPECT_EQ(shown_url("https://anna:hunter2@kbs.example:8443/x?t=hunter2"), "https://kbs.example");
  EXPECT_EQ(shown_url("ftp://anna:hunter2@kbs.example/"), "ftp://kbs.example");
  EXPECT_EQ(shown_url("ftp://kbs.example/"), "ftp://kbs.example/");
}

}  // namespace
}  // namespace attestbed::http
