// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_secret.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "mock-kbs/fault_jwe.h"
#include "mock-kbs/jwe_seal.h"

namespace attestbed::kbs {
namespace {

using nlohmann::ordered_json;
using K = FaultKind;

constexpr std::int64_t kHour = 3600;

// A key of the guest's kind whose private half nobody has.
Checked<protocol::GuestPublicKey> nobodys_key(const protocol::GuestPublicKey& like, Entropy& entropy) {
  if (like.type == protocol::KeyType::rsa3072) {
    protocol::GuestPublicKey other = like;
    other.rsa.n[crypto::kRsaModulusBytes / 2] ^= 1;
    return other;
  }
  crypto::EcKey forgotten;
  TRY(checked(forgotten.generate(protocol::curve_of(like.type), entropy)));
  return protocol::GuestPublicKey::of(forgotten.point());
}

Checked<std::string> seal_as(const Fault& fault, FaultNoise noise, const SealedSecret& sealed, Entropy& entropy) {
  if (fault.kind == K::secret) return jwe_seal(sealed.key, bytes_of(noise.octets(fault.number)), entropy);
  if (fault.kind == K::secret_other_guest) return jwe_seal(sealed.key, sealed.secret->expose(), entropy);
  if (fault.kind == K::jwe_other_key) {
    const protocol::GuestPublicKey nobody = TRY(nobodys_key(sealed.key, entropy));
    return jwe_seal(nobody, sealed.secret->expose(), entropy);
  }
  return odd_jwe(fault.kind, noise, sealed, entropy);
}

}  // namespace

bool break_secret(const Fault& fault, FaultNoise noise, Entropy& entropy, Response& response) {
  if (response.status != 200 || !response.sealed) return false;
  Checked<std::string> body = seal_as(fault, noise, *response.sealed, entropy);
  if (!body) return false;
  response.body = *std::move(body);
  return true;
}

bool expire_token(const Broker& broker, Response& response) {
  const ordered_json answer = ordered_json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (response.status != 200 || !answer.contains("token")) return false;
  const Checked<std::string> expired = broker.tokens.reissue(answer["token"].get<std::string>(), -kHour);
  if (!expired) return false;
  response.body = encode_token(*expired);
  return true;
}

}  // namespace attestbed::kbs
