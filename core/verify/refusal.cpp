// SPDX-License-Identifier: Apache-2.0
#include "core/verify/refusal.h"

#include <cstdio>

namespace attestbed::verify {
namespace {

/// Digits reads a fixed number of decimal digits at a time and remembers whether all were there.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}
  int number(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      good_ = false;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string Refusal::text() const {
  const ErrorRow& row = error_row(code);
  return std::string(row.name) + ": " + field + ": expected " + expected + ", found " + found + "; " +
         file_remedy(code);
}

std::string time_text(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

Checked<Time> time_parse(std::string_view text) {
  const Refusal bad{Errc::bad_value, "time", "RFC 3339, as 2025-10-01T00:00:00Z", printable(text)};
  Digits digits(text);
  const int year = digits.number(4);
  digits.one_of("-");
  const int month = digits.number(2);
  digits.one_of("-");
  const int day = digits.number(2);
  digits.one_of("Tt");
  const int hour = digits.number(2);
  digits.one_of(":");
  const int minute = digits.number(2);
  digits.one_of(":");
  const int second = digits.number(2);
  const char zone = digits.one_of("Zz+-");
  int offset = 0;
  if (zone == '+' || zone == '-') {
    const int hours = digits.number(2);
    digits.one_of(":");
    const int minutes = digits.number(2);
    if (hours > 23 || minutes > 59) return bad;
    offset = (hours * 60 + minutes) * (zone == '+' ? 1 : -1);
  }
  if (!digits.done() || hour > 23 || minute > 59 || second > 59) return bad;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return bad;
  const Time time = Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                    std::chrono::seconds(second) - std::chrono::minutes(offset);
  // In UTC it may lie in a year that RFC 3339 cannot write.
  const std::chrono::year utc = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year();
  if (utc < std::chrono::year(0) || utc > std::chrono::year(9999)) return bad;
  return time;
}

std::string hex_text(Bytes octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(octets.size() * 2);
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

std::string printable(std::string_view text, std::size_t max) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= max) return out + "...";
    if (c >= ' ' && c <= '~' && c != '\\') {
      out += c;
    } else {
      const auto octet = static_cast<std::uint8_t>(c);
      out += "\\x" + hex_text({&octet, 1});
    }
  }
  return out;
}

}  // namespace attestbed::verify
