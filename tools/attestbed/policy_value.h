// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/verify/policy.h"
#include "core/verify/refusal.h"

namespace attestbed::tools {

/// PolicyValue is one value of a policy file and where it stands. Each function reads it as one type, or refuses it
/// with bad_config and the field "PATH:LINE: table.key".
class PolicyValue {
 public:
  PolicyValue(const std::string& path, std::string key, const toml::node& node)
      : path_(path), key_(std::move(key)), node_(node) {}

  verify::Checked<bool> flag() const;
  verify::Checked<std::uint64_t> number(std::uint64_t least, std::uint64_t most) const;
  verify::Checked<std::string> text() const;
  /// version reads "1.55".
  verify::Checked<verify::VersionBound> version() const;
  /// tcb reads { boot_loader = 10, snp = 25 }; what is left out is 0.
  verify::Checked<snp::Tcb> tcb() const;
  /// octets reads hexadecimal text of exactly `size` octets.
  verify::Checked<std::vector<std::uint8_t>> octets(std::size_t size) const;
  /// chip_id reads 64 octets, or Turin's 8, which the report fills up with zeros.
  verify::Checked<snp::ChipId> chip_id() const;
  template <std::size_t N>
  verify::Checked<ByteArray<N>> array() const;
  /// each reads a list, or one value as a list of one. An empty list is refused: it would silently ask nothing.
  template <class T>
  verify::Checked<std::vector<T>> each(const std::function<verify::Checked<T>(const PolicyValue&)>& read) const;

  verify::Refusal refuse(std::string expected, std::string found) const;
  std::string type() const;

 private:
  PolicyValue at(const toml::node& node) const { return {path_, key_, node}; }

  const std::string& path_;
  std::string key_;
  const toml::node& node_;
};

template <std::size_t N>
verify::Checked<ByteArray<N>> PolicyValue::array() const {
  const verify::Checked<std::vector<std::uint8_t>> read = octets(N);
  if (!read) return read.error();
  ByteArray<N> fixed;
  std::ranges::copy(*read, fixed.begin());
  return fixed;
}

template <class T>
verify::Checked<std::vector<T>> PolicyValue::each(
    const std::function<verify::Checked<T>(const PolicyValue&)>& read) const {
  std::vector<T> values;
  const toml::array* const items = node_.as_array();
  if (items == nullptr) {
    T only = TRY(read(*this));
    values.push_back(std::move(only));
    return values;
  }
  if (items->empty()) return refuse("at least one value", "an empty list, which would ask nothing");
  for (const toml::node& item : *items) {
    T value = TRY(read(at(item)));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace attestbed::tools
