// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/base64.h"
#include "core/base/writer.h"
#include "core/crypto/ecdh.h"

namespace attestbed::fuzz {

inline std::string base64_text(Base64 alphabet, Bytes octets) {
  std::string text(base64_encoded_size(alphabet, octets.size()), '\0');
  Writer out({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  base64_encode(alphabet, octets, out);
  return text;
}

/// may_be_accepted is what nlohmann says of a protected header: false if it is not the one accepted form for `epk`, or,
/// if that is null, for an RSA key. nlohmann refuses numbers beyond double, also in members that mean nothing here; of
/// such a text nothing is known.
inline bool may_be_accepted(std::string_view text, const crypto::EcPoint* epk) {
  const auto header = nlohmann::json::parse(text, nullptr, false);
  if (header.is_discarded()) return true;
  if (!header.is_object() ||
      header.value("alg", nlohmann::json()) != (epk != nullptr ? "ECDH-ES+A256KW" : "RSA-OAEP-256") ||
      header.value("enc", nlohmann::json()) != "A256GCM") {
    return false;
  }
  for (const char* name : {"apu", "apv", "crit", "zip"}) {
    if (header.contains(name)) return false;
  }
  if (epk == nullptr) return !header.contains("epk");
  if (!header.contains("epk") || !header["epk"].is_object()) return false;
  const auto& key = header["epk"];
  const char* const curve = epk->curve() == crypto::Curve::p521 ? "P-521" : "P-256";
  return key.value("kty", nlohmann::json()) == "EC" && key.value("crv", nlohmann::json()) == curve &&
         key.value("x", nlohmann::json()) == base64_text(Base64::url, epk->x()) &&
         key.value("y", nlohmann::json()) == base64_text(Base64::url, epk->y());
}

}  // namespace attestbed::fuzz
