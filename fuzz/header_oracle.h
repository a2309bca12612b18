// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/crypto/ecdh.h"
#include "core/posix/base64_text.h"

namespace attestbed::fuzz {

using posix::base64_text;

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
