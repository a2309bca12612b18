// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/resource_path.h"

#include <cstring>

namespace attestbed::protocol {
namespace {

bool may_begin(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

ResourcePath::ResourcePath() : size_(kDefaultResource.size()) {
  std::memcpy(text_.data(), kDefaultResource.data(), kDefaultResource.size());
}

Result<ResourcePath> ResourcePath::parse(std::string_view text, const char* where) {
  if (text.size() > kMaxResourcePathBytes) return Error{Errc::too_large, where, text.size(), kMaxResourcePathBytes};
  std::size_t parts = 1;
  bool begins = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '/' && !begins) {
      ++parts;
      begins = true;
      continue;
    }
    if (!may_begin(c) && (begins || c != '.')) return Error{Errc::bad_value, where, i, 0};
    begins = false;
  }
  if (parts != 3 || begins) return Error{Errc::bad_value, where, parts, 3};
  ResourcePath path;
  path.text_ = {};
  path.size_ = text.size();
  std::memcpy(path.text_.data(), text.data(), text.size());
  return path;
}

}  // namespace attestbed::protocol
