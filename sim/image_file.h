// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/reader.h"
#include "sim/failure.h"

namespace attestbed::sim {

/// hex_number is "0x" and lower-case digits.
std::string hex_number(std::uint64_t number);

/// ImageFile is a file that somebody else made, and the name it goes by in errors. Whatever is taken from it is bounded
/// by it; every failure is `image_malformed`, one line with file, offset, field, expected and found.
class ImageFile {
 public:
  /// The octets must outlive the ImageFile.
  ImageFile(std::string name, Bytes octets) : name_(std::move(name)), octets_(octets) {}

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return octets_.size(); }

  Outcome<Bytes> slice(std::uint64_t offset, std::uint64_t size, std::string_view field) const;

  /// copy reads a wire structure (alignment 1, no padding) by value.
  template <class T>
  Outcome<T> copy(std::uint64_t offset, std::string_view field) const {
    const Bytes octets = TRY(slice(offset, sizeof(T), field));
    return *Reader(octets).copy<T>("image");
  }

  Failure malformed(std::uint64_t offset, std::string_view field, std::string_view expected,
                    std::string_view found) const;

 private:
  std::string name_;
  Bytes octets_;
};

}  // namespace attestbed::sim
