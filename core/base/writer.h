// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <type_traits>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed {

/// Writer appends to a buffer of the caller's. Once something did not fit it stays failed and writes nothing more, so
/// a sequence of puts needs one check, in finish().
class Writer {
 public:
  explicit Writer(MutBytes into) : into_(into) {}

  void put(Bytes octets) {
    if (full_ || octets.size() > into_.size() - used_) {
      full_ = true;
      return;
    }
    if (!octets.empty()) std::memcpy(into_.data() + used_, octets.data(), octets.size());
    used_ += octets.size();
  }
  void text(std::string_view text) { put(bytes_of(text)); }
  void octet(std::uint8_t value) { put({&value, 1}); }
  template <class T>
  void copy(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1, "wire structures have alignment 1");
    put({reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
  }

  /// room returns `n` octets to be filled in place, or an empty span if they do not fit.
  MutBytes room(std::size_t n) {
    if (full_ || n > into_.size() - used_) {
      full_ = true;
      return {};
    }
    used_ += n;
    return into_.subspan(used_ - n, n);
  }

  /// finish returns what was written, or no_space with the buffer's size in `expected`.
  Result<Bytes> finish(const char* where) const {
    if (full_) return Error{Errc::no_space, where, 0, into_.size()};
    return Bytes(into_.first(used_));
  }

 private:
  MutBytes into_;
  std::size_t used_ = 0;
  bool full_ = false;
};

}  // namespace attestbed
