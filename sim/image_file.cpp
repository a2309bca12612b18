// SPDX-License-Identifier: Apache-2.0
#include "sim/image_file.h"

#include <cinttypes>
#include <cstdio>

namespace attestbed::sim {

std::string hex_number(std::uint64_t number) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof text, "0x%" PRIx64, number);
  return text;
}

Outcome<Bytes> ImageFile::slice(std::uint64_t offset, std::uint64_t size, std::string_view field) const {
  if (offset > octets_.size() || size > octets_.size() - offset) {
    return malformed(offset, field, std::to_string(size) + " octets inside the file of " + hex_number(octets_.size()),
                     std::to_string(offset > octets_.size() ? 0 : octets_.size() - offset));
  }
  return octets_.subspan(offset, size);
}

Failure ImageFile::malformed(std::uint64_t offset, std::string_view field, std::string_view expected,
                             std::string_view found) const {
  return {Errc::image_malformed, name_ + ": offset " + hex_number(offset) + ": " + std::string(field) + ": expected " +
                                     std::string(expected) + ", found " + std::string(found)};
}

}  // namespace attestbed::sim
