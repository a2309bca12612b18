// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::protocol {

inline constexpr std::size_t kMaxResourcePathBytes = 192;

/// ResourcePath is `repository/type/tag`: three parts of [A-Za-z0-9_-][A-Za-z0-9_.-]*, at most 192 octets in all. The
/// grammar admits no `..`, no empty part and nothing that a URL would escape.
class ResourcePath {
 public:
  /// The path that a stock SVSM guest gets.
  ResourcePath();
  static Result<ResourcePath> parse(std::string_view text, const char* where);
  std::string_view text() const { return {text_.data(), size_}; }
  friend bool operator==(const ResourcePath& a, const ResourcePath& b) { return a.text() == b.text(); }

 private:
  std::array<char, kMaxResourcePathBytes> text_{};
  std::size_t size_ = 0;
};

inline constexpr std::string_view kDefaultResource = "default/sample/test";

}  // namespace attestbed::protocol
