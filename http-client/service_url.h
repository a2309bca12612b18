// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace attestbed::http {

/// PlainHttp says where http:// may go: what crosses that line can be read and changed on the way.
enum class PlainHttp { loopback_only, anywhere };

/// ServiceUrl is the outcome of parse_service_url: a URL in one form, or why there is none, for people.
struct ServiceUrl {
  std::string url;      // scheme://host[:port][/path], no trailing slash; empty if refused
  std::string problem;  // empty if accepted
};

/// parse_service_url accepts https:// anywhere and http:// by `plain`; no user, query, fragment or @, and two slashes,
/// no fewer and no more. Loopback is `localhost`, 127.0.0.0/8 or ::1, by their form: nothing is looked up.
ServiceUrl parse_service_url(const std::string& text, PlainHttp plain);

/// shown_url is `text` as a message may quote it: of a URL with user information, scheme and host alone.
std::string shown_url(const std::string& text);

}  // namespace attestbed::http
