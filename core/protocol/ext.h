// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/json.h"
#include "core/protocol/binding.h"
#include "core/protocol/resource_path.h"

namespace attestbed::protocol {

/// Terms are what a guest states and a proxy echoes in `ext`: the guest states, the host may only refuse.
struct Terms {
  Binding binding = Binding::svsm_sha512;
  KeyType key = KeyType::p521;
  ResourcePath resource;
  bool is_default() const { return *this == Terms{}; }
  friend bool operator==(const Terms&, const Terms&) = default;
};

/// Phase says which of the guest's two questions an error answers.
enum class Phase : std::uint8_t { negotiation = 1, attestation = 2 };

inline constexpr std::size_t kMaxErrorDetailBytes = 200;

/// HostError is `ext.error`: why a proxy ended the attempt. The proxy is not trusted: `code` is from the fixed list
/// (unknown ones become Errc::refused) and `detail` is printable ASCII, checked again on receipt.
struct HostError {
  Errc code = Errc::refused;
  Phase phase = Phase::negotiation;
  std::array<char, kMaxErrorDetailBytes> detail_octets{};
  std::size_t detail_size = 0;

  std::string_view detail() const { return {detail_octets.data(), detail_size}; }
  /// set_detail keeps at most 200 octets and replaces what is not printable ASCII by '?'.
  void set_detail(std::string_view text);
};

void write_terms(JsonWriter& json, const Terms& terms);
Result<Terms> read_terms(JsonReader& json, const char* where);
void write_host_error(JsonWriter& json, const HostError& error);
Result<HostError> read_host_error(JsonReader& json);

}  // namespace attestbed::protocol
