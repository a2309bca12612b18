// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attestbed::proxy {

/// CookieJar holds the cookies of one session with one origin, by RFC 6265, but that no clock of this machine decides
/// about them: what a server means by Expires is measured from its own Date, and a cookie that was good when it came
/// stays until the jar is cleared, since its server is the judge of it. A clock that is wrong would else drop the
/// session's cookie as soon as it came.
class CookieJar {
 public:
  /// The origin, as of a URL: only its host is served, and cookies that are Secure only if it is https.
  CookieJar(std::string host, bool https) : host_(std::move(host)), https_(https) {}

  /// take is one Set-Cookie field of the answer to a request for `path`. What RFC 6265 has a client ignore is ignored.
  ///   now  the answer's Date, else this machine's time; seconds since 1970
  void take(std::string_view set_cookie, std::string_view path, std::int64_t now);
  /// field is the Cookie field of a request for `path`, "a=1; b=2"; empty if there is nothing to send.
  std::string field(std::string_view path) const;
  /// value is that of the first cookie of this name, empty if there is none.
  std::string value(std::string_view name) const;
  /// lifetime is how long from its coming its server wanted the last cookie of this name kept (Max-Age or Expires), 0
  /// of one that came to be dropped; none if it did not say. It outlives the cookie.
  std::optional<std::chrono::seconds> lifetime(std::string_view name) const;
  void clear() { cookies_.clear(); }

 private:
  struct Cookie {
    std::string name, value, path;
  };
  struct Lifetime {
    std::string name;
    std::optional<std::chrono::seconds> time;
  };
  std::string host_;
  bool https_;
  std::vector<Cookie> cookies_;
  std::vector<Lifetime> lifetimes_;
};

}  // namespace attestbed::proxy
