// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/key_binding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/crypto/sha2.h"
#include "mock-kbs/base64_text.h"
#include "mock-kbs/tee_pubkey.h"

namespace attestbed::kbs {
namespace {

using protocol::Binding;
using protocol::KeyType;

// The table of docs/protocol.md: svsm-sha512 goes with P-521 alone, kbs-sha384 with every key.
bool goes_with(Binding binding, KeyType key) {
  return binding == Binding::kbs_sha384 || key == KeyType::p521;
}

Binding other(Binding binding) {
  return binding == Binding::kbs_sha384 ? Binding::svsm_sha512 : Binding::kbs_sha384;
}

}  // namespace

std::string binding_text(const protocol::GuestPublicKey& key, const protocol::Challenge& challenge) {
  // nlohmann's objects are sorted by octets and its dump() has no spaces; all texts are ASCII without anything to
  // escape. For these values that is RFC 8785.
  const nlohmann::json text = {{"additional-evidence", ""},
                               {"nonce", base64_text(Base64::standard, challenge.octets())},
                               {"tee-pubkey", tee_pubkey_json(key)}};
  return text.dump();
}

Checked<ByteArray<48>> binding_digest(const protocol::GuestPublicKey& key, const protocol::Challenge& challenge) {
  const std::string text = binding_text(key, challenge);
  return checked(crypto::sha384({bytes_of(text)}));
}

Checked<snp::ReportData> expected_report_data(Binding binding, const protocol::GuestPublicKey& key,
                                              const protocol::Challenge& challenge) {
  if (!goes_with(binding, key.type)) {
    return Refusal{Errc::key_unsupported, "tee-pubkey",
                   "P-521, the one key of binding " + std::string(protocol::binding_name(binding)),
                   protocol::key_type_name(key.type)};
  }
  if (binding == Binding::svsm_sha512) return checked(protocol::bind_svsm_sha512(key, challenge));
  const ByteArray<48> digest = TRY(binding_digest(key, challenge));
  snp::ReportData padded{};
  std::ranges::copy(digest, padded.begin());
  return padded;
}

Checked<void> check_report_data(const snp::ReportData& found, Binding binding, const protocol::GuestPublicKey& key,
                                const protocol::Challenge& challenge) {
  const snp::ReportData expected = TRY(expected_report_data(binding, key, challenge));
  if (found == expected) return {};
  Refusal refusal{Errc::report_data_mismatch, "REPORT_DATA",
                  verify::hex_text(expected) + " (" + protocol::binding_name(binding) + ")", verify::hex_text(found)};
  const Checked<snp::ReportData> elsewhere = expected_report_data(other(binding), key, challenge);
  if (elsewhere && found == *elsewhere) {
    refusal.found += std::string(" (") + protocol::binding_name(other(binding)) + ": the guest and its entry differ)";
  }
  return refusal;
}

}  // namespace attestbed::kbs
