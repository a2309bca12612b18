// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "sim/launch_key.h"

namespace attestbed::sim {

using FamilyId = ByteArray<16>;
using ImageId = ByteArray<16>;

/// IdBlock is ID_BLOCK of SNP_LAUNCH_FINISH: what the guest's owner says the launch must be, signed by the ID key
/// (56860 ID_BLOCK).
struct IdBlock {
  snp::Measurement launch_digest;  // 0x00
  FamilyId family_id;              // 0x30
  ImageId image_id;                // 0x40
  le32 version;                    // 0x50  1
  le32 guest_svn;                  // 0x54
  le64 policy;                     // 0x58
};
inline constexpr std::uint32_t kIdBlockVersion = 1;
static_assert(sizeof(IdBlock) == 96 && alignof(IdBlock) == 1);

/// IdAuth is the ID authentication information beside it: who signed the block, and optionally which author key
/// endorses that ID key.
struct IdAuth {
  le32 id_key_algo;                // 0x000  1 = ECDSA P-384 with SHA-384
  le32 author_key_algo;            // 0x004
  std::uint8_t reserved0[0x38];    // 0x008
  snp::RawSignature id_block_sig;  // 0x040  by the ID key over the 96 octets of ID_BLOCK
  LaunchKey id_key;                // 0x240
  std::uint8_t reserved1[0x3c];    // 0x644
  snp::RawSignature id_key_sig;    // 0x680  by the author key over the 0x404 octets of ID_KEY
  LaunchKey author_key;            // 0x880
  std::uint8_t reserved2[0x37c];   // 0xc84
};
inline constexpr std::uint32_t kAlgoEcdsaP384Sha384 = 1;
static_assert(sizeof(IdAuth) == 4096 && alignof(IdAuth) == 1);
static_assert(offsetof(IdAuth, id_block_sig) == 0x040 && offsetof(IdAuth, id_key) == 0x240);
static_assert(offsetof(IdAuth, id_key_sig) == 0x680 && offsetof(IdAuth, author_key) == 0x880);

inline Bytes octets_of(const IdBlock& block) {
  return {reinterpret_cast<const std::uint8_t*>(&block), sizeof block};
}
inline Bytes octets_of(const IdAuth& auth) {
  return {reinterpret_cast<const std::uint8_t*>(&auth), sizeof auth};
}

/// SignedIdBlock is what a host hands to SNP_LAUNCH_FINISH with ID_BLOCK_EN.
///   author_key_enabled  AUTH_KEY_EN; without it nothing of the author's half of `auth` is looked at
struct SignedIdBlock {
  IdBlock block;
  IdAuth auth;
  bool author_key_enabled = false;
};

/// parse_id_block and parse_id_auth demand the exact length; the contents are judged at the launch. Errors: bad_length.
Result<IdBlock> parse_id_block(Bytes octets);
Result<IdAuth> parse_id_auth(Bytes octets);

/// check_reserved demands zero wherever the layout reserves octets that the launch looks at: in ID_AUTH, in its
/// signatures and in its keys. Errors: firmware_refused with INVALID_PARAM (0x16) in `found`.
///
/// That an ID_BLOCK VERSION other than 1 and reserved octets within keys and signatures are refused here is this
/// model's reading; public sources say only that reserved fields are refused first.
Status check_reserved(const SignedIdBlock& given);

/// IdKeyDigests is what a report shows of the keys.
struct IdKeyDigests {
  KeyDigest id_key{};
  std::optional<KeyDigest> author_key;
};

/// check_id_block judges the block against the launch, and then the signatures, in the firmware's order.
///   errors  firmware_refused with the status in `found`: BAD_MEASUREMENT (0x0b), POLICY_FAILURE (0x07), INVALID_PARAM
///           (0x16, an algorithm), BAD_SIGNATURE (0x0a, a key or its signature); then the last two for the author key
Result<IdKeyDigests> check_id_block(const SignedIdBlock& given, const snp::Measurement& measured, std::uint64_t policy);

/// make_id_block signs `block` with `id_key`, and the ID key with `author_key` unless that is null. The algorithm of
/// the author key is filled in either way, as other makers of ID blocks do. Errors: bad_value if a key is not P-384;
/// internal.
Result<SignedIdBlock> make_id_block(const IdBlock& block, const SigningKey& id_key, const SigningKey* author_key);

}  // namespace attestbed::sim
