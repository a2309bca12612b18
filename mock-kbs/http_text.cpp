// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/http_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace attestbed::kbs {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

Checked<std::string> find_cookie(std::string_view cookies, std::string_view name, std::size_t digits) {
  const std::string field = "Cookie." + std::string(name);
  std::string value;
  bool found = false;
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    const std::string_view pair = trim(cookies.substr(0, end));
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    if (!pair.starts_with(name) || pair.substr(name.size()).empty() || pair[name.size()] != '=') continue;
    if (found) return Refusal{Errc::session_unknown, field, "the cookie once", "the cookie twice"};
    found = true;
    value = pair.substr(name.size() + 1);
  }
  if (!found) return Refusal{Errc::session_missing, field, "a session cookie", "none"};
  if (value.size() != digits || !std::ranges::all_of(value, is_lower_hex)) {
    return Refusal{Errc::session_unknown, field, std::to_string(digits) + " lower-case hex digits", "another form"};
  }
  return value;
}

std::string session_cookie_text(std::string_view cookie, verify::Time expires) {
  return "kbs-session-id=" + std::string(cookie) + "; Expires=" + http_date(expires);
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  authorization = trim(authorization);
  if (authorization.size() <= kScheme.size()) return {};
  if (!std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, {}, lower)) return {};
  return trim(authorization.substr(kScheme.size()));
}

std::string http_date(verify::Time time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                                 kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text.data(), size > 0 ? std::min(static_cast<std::size_t>(size), text.size() - 1) : 0};
}

}  // namespace attestbed::kbs
