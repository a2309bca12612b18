// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside core/verify only: how one demand of a policy is judged, whatever field it is about.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/verify/appraise.h"

namespace attestbed::verify {

/// Judged is a rule's answer; the table of appraise.cpp adds whose it is.
struct Judged {
  Outcome outcome = Outcome::not_asked;
  std::string expected = {}, found = {};
};

inline Judged judged(bool good, std::string expected, std::string found) {
  return {good ? Outcome::passed : Outcome::failed, std::move(expected), std::move(found)};
}

/// bit_allowed: no value = not asked, false = the bit must be clear, true = either will do.
Judged bit_allowed(std::optional<bool> allowed, bool set);
/// bit_required: the bit must be set if `required`.
Judged bit_required(bool required, bool set);

template <class Number>
Judged at_least(const std::optional<Number>& bound, std::uint64_t found) {
  if (!bound) return {};
  return judged(found >= *bound, "at least " + std::to_string(*bound), std::to_string(found));
}
Judged version_at_least(const std::optional<VersionBound>& bound, VersionBound found);
/// tcb_at_least names every component that is below its bound.
Judged tcb_at_least(const std::optional<snp::Tcb>& bound, const snp::Tcb& found, snp::Product product);
/// bits_present demands the bits of `required`; zero asks nothing.
Judged bits_present(std::uint64_t required, std::uint64_t found);

/// same_octets compares with the one value that is allowed, if one is.
template <std::size_t N>
Judged same_octets(const std::optional<ByteArray<N>>& allowed, Bytes found) {
  if (!allowed) return {};
  return judged(std::ranges::equal(*allowed, found), hex_text(*allowed), hex_text(found));
}

/// listed_octets looks for a value among those that are allowed; an empty list asks nothing.
template <std::size_t N>
Judged listed_octets(const std::vector<ByteArray<N>>& allowed, const ByteArray<N>& found) {
  if (allowed.empty()) return {};
  return judged(std::ranges::find(allowed, found) != allowed.end(),
                allowed.size() == 1 ? hex_text(allowed.front())
                                    : "one of " + std::to_string(allowed.size()) + " reference values",
                hex_text(found));
}

/// text_of_list is "Milan, Genoa" from a list and what names one.
template <class T, class NameOf>
std::string text_of_list(const std::vector<T>& list, NameOf name_of) {
  std::string text;
  for (const T& one : list) text += (text.empty() ? "" : ", ") + std::string(name_of(one));
  return text;
}

// The demands on ID and author key, which need more than one field.
Judged id_key(const Policy& policy, const snp::RawReport& report);
Judged author_key(const Policy& policy, const snp::RawReport& report);

}  // namespace attestbed::verify
