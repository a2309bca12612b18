// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/binding.h"

#include <cstring>

#include "core/crypto/sha2.h"

namespace attestbed::protocol {
namespace {

constexpr char kPairs[] =
    "no such pair of binding and key: there are svsm-sha512 with P-521, kbs-sha384 with P-521, P-256, RSA-3072";

}  // namespace

const char* binding_name(Binding binding) {
  return binding == Binding::svsm_sha512 ? "svsm-sha512" : "kbs-sha384";
}

Result<Binding> binding_named(std::string_view name, const char* where) {
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    if (name == text_of(binding_name(binding))) return binding;
  }
  return Error{Errc::bad_value, where, name.size(), 0};
}

Status check_pair(Binding binding, KeyType key) {
  if (binding == Binding::kbs_sha384 || key == KeyType::p521) return ok();
  return Error{Errc::bad_config, kPairs};
}

Result<snp::ReportData> bind(Binding binding, const GuestPublicKey& key, const Challenge& challenge) {
  return binding == Binding::svsm_sha512 ? bind_svsm_sha512(key, challenge) : bind_kbs_sha384(key, challenge);
}

Result<snp::ReportData> bind_svsm_sha512(const GuestPublicKey& key, const Challenge& challenge) {
  if (key.type != KeyType::p521) return Error{Errc::bad_config, kPairs};
  return crypto::sha512({key.ec.x(), key.ec.y(), challenge.octets()});
}

Result<snp::ReportData> bind_kbs_sha384(const GuestPublicKey& key, const Challenge& challenge) {
  ByteArray<kMaxBindingTextBytes> memory;
  const Bytes text = TRY(write_binding_text(key, challenge, memory));
  const crypto::Sha384Digest digest = TRY(crypto::sha384({text}));
  snp::ReportData report_data{};
  std::memcpy(report_data.data(), digest.data(), digest.size());
  return report_data;
}

Result<Bytes> write_binding_text(const GuestPublicKey& key, const Challenge& challenge, MutBytes into) {
  Writer out(into);
  JsonWriter json(out);
  json.begin_object();
  json.name("additional-evidence");
  json.string("");
  json.name("nonce");
  json.base64(Base64::standard, challenge.octets());
  json.name("tee-pubkey");
  write_jwk(json, key);
  json.end_object();
  return out.finish("kbs-sha384");
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
