// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/crypto/openssl/vectors.h"
#include "core/protocol/attestation.h"

// docs/vectors/guest-keys.json as tests read it: one case for each kind of key, made and judged outside this project.
namespace attestbed::protocol {

using nlohmann::json;

inline const json& guest_key_cases() {
  static const json& cases = []() -> const json& {
    std::ifstream file(ATTESTBED_SOURCE_DIR "/docs/vectors/guest-keys.json");
    static const json all = json::parse(file);
    return all.at("cases");
  }();
  return cases;
}

inline KeyType type_of(const json& guest_case) {
  return *key_type_named(guest_case.at("name").get_ref<const std::string&>(), "test");
}

inline crypto::Octets octets_of(const json& guest_case, const char* pointer) {
  return crypto::unhex(guest_case.at(json::json_pointer(pointer)).get_ref<const std::string&>());
}

inline GuestPublicKey public_key_of(const json& guest_case) {
  const auto at = [&guest_case](const char* name) { return octets_of(guest_case, name); };
  if (!is_ec(type_of(guest_case))) {
    return GuestPublicKey::of(*crypto::RsaPublicKey::make(at("/guest_key/n"), at("/guest_key/e"), "test"));
  }
  return GuestPublicKey::of(
      *crypto::EcPoint::make(curve_of(type_of(guest_case)), at("/guest_key/x"), at("/guest_key/y"), "test"));
}

/// set_key puts the case's pair into `key`. False if it is none.
inline bool set_key(const json& guest_case, GuestKey& key) {
  key.type = type_of(guest_case);
  if (is_ec(key.type)) return key.ec.set(curve_of(key.type), octets_of(guest_case, "/guest_key/d")).has_value();
  return key.rsa.set(octets_of(guest_case, "/guest_key/p"), octets_of(guest_case, "/guest_key/q")).has_value();
}

inline MutBytes writable(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

}  // namespace attestbed::protocol
