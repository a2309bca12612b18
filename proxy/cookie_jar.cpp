// SPDX-License-Identifier: Apache-2.0
#include "proxy/cookie_jar.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace attestbed::proxy {
namespace {

using std::chrono::seconds;

// No broker has more, and each adds to every request.
constexpr std::size_t kMaxCookies = 16, kMaxCookieBytes = 8 * 1024;
// What a server says beyond is no shorter a time for it.
constexpr std::int64_t kLongest = std::int64_t{10} * 365 * 24 * 3600;

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// next takes the part of `text` up to `at` off its beginning.
std::string_view next(std::string_view& text, char at) {
  const std::string_view part = text.substr(0, text.find(at));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

// Section 5.1.4 of RFC 6265, twice.
std::string default_path(std::string_view of) {
  const std::size_t last = of.rfind('/');
  return last == std::string_view::npos || last == 0 ? "/" : std::string(of.substr(0, last));
}
bool path_matches(std::string_view path, std::string_view cookie) {
  if (!path.starts_with(cookie)) return false;
  return path.size() == cookie.size() || cookie.ends_with('/') || path[cookie.size()] == '/';
}

// Section 5.1.3. An address is no domain.
bool domain_matches(std::string_view host, std::string_view domain) {
  if (same_letters(host, domain)) return true;
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos || host.starts_with('[');
  return !is_address && host.size() > domain.size() && host[host.size() - domain.size() - 1] == '.' &&
         same_letters(host.substr(host.size() - domain.size()), domain);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (stopped != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return text.front() == '-' ? 0 : kLongest;
  return number;
}

struct Attributes {
  std::optional<std::int64_t> max_age, expires;  // seconds; since 1970
  std::string_view domain, path;
  bool secure = false;
};

Attributes attributes_of(std::string_view text) {
  Attributes all;
  while (!text.empty()) {
    std::string_view value = next(text, ';');
    const std::string_view name = trimmed(next(value, '='));
    value = trimmed(value);
    if (same_letters(name, "Max-Age")) {
      if (const auto number = whole_number(value)) all.max_age = number;
    } else if (same_letters(name, "Expires")) {
      const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
      if (date != -1) all.expires = date;
    } else if (same_letters(name, "Domain")) {
      all.domain = value.starts_with('.') ? value.substr(1) : value;
    } else if (same_letters(name, "Path")) {
      all.path = value.starts_with('/') ? value : std::string_view();
    } else if (same_letters(name, "Secure")) {
      all.secure = true;
    }
  }
  return all;
}

std::optional<seconds> lifetime_of(const Attributes& said, std::int64_t now) {
  if (!said.max_age && !said.expires) return std::nullopt;
  const std::int64_t left = said.max_age ? *said.max_age : *said.expires - now;
  return seconds(std::clamp<std::int64_t>(left, 0, kLongest));
}

}  // namespace

void CookieJar::take(std::string_view set_cookie, std::string_view path, std::int64_t now) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; };
  if (set_cookie.size() > kMaxCookieBytes || std::ranges::any_of(set_cookie, is_control)) return;
  std::string_view pair = next(set_cookie, ';');
  if (pair.find('=') == std::string_view::npos) return;
  Cookie cookie{.name = std::string(trimmed(next(pair, '='))), .value = std::string(trimmed(pair)), .path = {}};
  const Attributes said = attributes_of(set_cookie);
  if (cookie.name.empty() || (said.secure && !https_)) return;
  if (!said.domain.empty() && !domain_matches(host_, said.domain)) return;
  cookie.path = said.path.empty() ? default_path(path) : std::string(said.path);
  std::erase_if(cookies_, [&](const Cookie& one) { return one.name == cookie.name && one.path == cookie.path; });
  std::erase_if(lifetimes_, [&](const Lifetime& one) { return one.name == cookie.name; });
  if (cookies_.size() == kMaxCookies || lifetimes_.size() == kMaxCookies) return;
  const auto lifetime = lifetime_of(said, now);
  lifetimes_.push_back({cookie.name, lifetime});
  if (lifetime != seconds(0)) cookies_.push_back(std::move(cookie));
}

std::string CookieJar::field(std::string_view path) const {
  std::string text;
  for (const Cookie& cookie : cookies_) {
    if (path_matches(path, cookie.path)) text += (text.empty() ? "" : "; ") + cookie.name + "=" + cookie.value;
  }
  return text;
}

std::string CookieJar::value(std::string_view name) const {
  const auto at = std::ranges::find(cookies_, name, &Cookie::name);
  return at == cookies_.end() ? std::string() : at->value;
}

std::optional<seconds> CookieJar::lifetime(std::string_view name) const {
  const auto at = std::ranges::find(lifetimes_, name, &Lifetime::name);
  return at == lifetimes_.end() ? std::nullopt : at->time;
}

}  // namespace attestbed::proxy
