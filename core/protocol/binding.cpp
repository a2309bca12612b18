// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/binding.h"

#include "core/crypto/sha2.h"

namespace attestbed::protocol {

const char* binding_name(Binding binding) {
  return binding == Binding::svsm_sha512 ? "svsm-sha512" : "kbs-sha384";
}

const char* key_type_name(KeyType key) {
  switch (key) {
    case KeyType::p521:
      return "P-521";
    case KeyType::p256:
      return "P-256";
    case KeyType::rsa3072:
      return "RSA-3072";
  }
  return "?";
}

Result<Binding> binding_named(std::string_view name, const char* where) {
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    if (name == text_of(binding_name(binding))) return binding;
  }
  return Error{Errc::bad_value, where, name.size(), 0};
}

Result<KeyType> key_type_named(std::string_view name, const char* where) {
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
    if (name == text_of(key_type_name(key))) return key;
  }
  return Error{Errc::bad_value, where, name.size(), 0};
}

Status check_pair(Binding binding, KeyType key) {
  // docs/protocol.md lists the pairs of kbs-sha384 too; they become legal here once that binding is built.
  if (binding == Binding::svsm_sha512 && key == KeyType::p521) return ok();
  return Error{Errc::bad_config, binding == Binding::svsm_sha512 ? "key: svsm-sha512 goes with P-521 only"
                                                                 : "binding: only svsm-sha512 is built so far"};
}

Result<snp::ReportData> bind_svsm_sha512(const crypto::EcPoint& key, const Challenge& challenge) {
  if (key.curve() != crypto::Curve::p521) return Error{Errc::bad_config, "key: svsm-sha512 goes with P-521 only"};
  return crypto::sha512({key.x(), key.y(), challenge.octets()});
}

Result<AttestationId> attestation_id(const Challenge& challenge) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const crypto::Sha256Digest digest = TRY(crypto::sha256({challenge.octets()}));
  AttestationId id;
  for (std::size_t i = 0; i < id.hex.size(); ++i) {
    id.hex[i] = kHex[(i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2]) & 15];
  }
  return id;
}

}  // namespace attestbed::protocol
