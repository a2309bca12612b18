// SPDX-License-Identifier: Apache-2.0
#include "sim/id_block.h"

#include <algorithm>

#include "core/base/reader.h"
#include "sim/status.h"

namespace attestbed::sim {
namespace {

Error refused(const char* where, FirmwareStatus status) {
  return {Errc::firmware_refused, where, code_of(status)};
}

struct ReservedField {
  const char* where;
  Bytes octets;
};

template <class T>
Result<T> parse_exactly(Bytes octets, const char* where) {
  if (octets.size() != sizeof(T)) return Error{Errc::bad_length, where, octets.size(), sizeof(T)};
  return Reader(octets).copy<T>(where);
}

/// SignatureCheck is one of the two signatures of ID_AUTH, with the names of its fields for the error.
struct SignatureCheck {
  const char *algo_field, *signature_field;
  std::uint32_t algo;
  const LaunchKey& key;
  const snp::RawSignature& signature;
  Bytes message;
};

Result<KeyDigest> check_signature(const SignatureCheck& check) {
  if (check.algo != kAlgoEcdsaP384Sha384) return refused(check.algo_field, FirmwareStatus::invalid_param);
  if (!verifies(check.key, check.signature, check.message)) {
    return refused(check.signature_field, FirmwareStatus::bad_signature);
  }
  return digest_of(check.key);
}

}  // namespace

Result<IdBlock> parse_id_block(Bytes octets) {
  return parse_exactly<IdBlock>(octets, "ID_BLOCK");
}

Result<IdAuth> parse_id_auth(Bytes octets) {
  return parse_exactly<IdAuth>(octets, "ID_AUTH");
}

Status check_reserved(const SignedIdBlock& given) {
  const IdAuth& auth = given.auth;
  const ReservedField always[] = {
      {"ID_AUTH reserved octets 0x008", auth.reserved0}, {"ID_BLOCK_SIG reserved octets", auth.id_block_sig.reserved},
      {"ID_KEY reserved octets", auth.id_key.reserved},  {"ID_AUTH reserved octets 0x644", auth.reserved1},
      {"ID_AUTH reserved octets 0xc84", auth.reserved2},
  };
  const ReservedField with_author[] = {
      {"ID_KEY_SIG reserved octets", auth.id_key_sig.reserved},
      {"AUTHOR_KEY reserved octets", auth.author_key.reserved},
  };
  const auto is_set = [](const ReservedField& field) {
    return std::ranges::any_of(field.octets, [](std::uint8_t octet) { return octet != 0; });
  };
  if (given.block.version != kIdBlockVersion) return refused("ID_BLOCK VERSION", FirmwareStatus::invalid_param);
  for (const ReservedField& field : always) {
    if (is_set(field)) return refused(field.where, FirmwareStatus::invalid_param);
  }
  if (!given.author_key_enabled) return ok();
  for (const ReservedField& field : with_author) {
    if (is_set(field)) return refused(field.where, FirmwareStatus::invalid_param);
  }
  return ok();
}

Result<IdKeyDigests> check_id_block(const SignedIdBlock& given, const snp::Measurement& measured,
                                    std::uint64_t policy) {
  const IdAuth& auth = given.auth;
  if (given.block.launch_digest != measured) return refused("ID_BLOCK LD", FirmwareStatus::bad_measurement);
  if (given.block.policy != policy) return refused("ID_BLOCK POLICY", FirmwareStatus::policy_failure);
  IdKeyDigests digests;
  digests.id_key = TRY(check_signature(
      {"ID_KEY_ALGO", "ID_BLOCK_SIG", auth.id_key_algo, auth.id_key, auth.id_block_sig, octets_of(given.block)}));
  if (!given.author_key_enabled) return digests;
  digests.author_key = TRY(check_signature({"AUTHOR_KEY_ALGO", "ID_KEY_SIG", auth.author_key_algo, auth.author_key,
                                            auth.id_key_sig, octets_of(auth.id_key)}));
  return digests;
}

Result<SignedIdBlock> make_id_block(const IdBlock& block, const SigningKey& id_key, const SigningKey* author_key) {
  SignedIdBlock made{};
  made.block = block;
  made.auth.id_key_algo = kAlgoEcdsaP384Sha384;
  made.auth.author_key_algo = kAlgoEcdsaP384Sha384;
  made.auth.id_key = TRY(launch_key_of(id_key));
  made.auth.id_block_sig = TRY(id_key.sign_report(octets_of(made.block)));
  if (author_key == nullptr) return made;
  made.author_key_enabled = true;
  made.auth.author_key = TRY(launch_key_of(*author_key));
  made.auth.id_key_sig = TRY(author_key->sign_report(octets_of(made.auth.id_key)));
  return made;
}

}  // namespace attestbed::sim
