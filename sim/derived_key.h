// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/key_message.h"
#include "sim/launch.h"

namespace attestbed::sim {

/// DerivationInput is everything but its root that a derived key depends on, as octets. Whatever GUEST_FIELD_SELECT
/// does not select is zero here; the selector is part of it, so a field of zeros is not a field left out.
///   key           vcek or vlek, as KEY_SEL was resolved
///   endorsed_by   whose digest `key_digest` is: 0 nobody's, 1 the ID key's, 2 the author key's
struct DerivationInput {
  le32 root_key_select;
  le32 key;
  le64 guest_field_select;
  le32 vmpl;
  le32 endorsed_by;
  HostData host_data;
  KeyDigest key_digest;
  le64 policy;
  ImageId image_id;
  FamilyId family_id;
  snp::Measurement measurement;
  le32 guest_svn;
  snp::TcbVersion tcb_version;
  le64 launch_mit_vector;
};
static_assert(sizeof(DerivationInput) == 212 && alignof(DerivationInput) == 1);

/// derive_key is KBKDF (NIST SP 800-108) in counter mode with HMAC-SHA-256, the label "attestbed derived key" and
/// `input` as the context. Real firmware has roots and a context of its own, which no verifier can know: what guests
/// rely on is that the same input gives the same key and any other another.
///   errors  internal
Result<snp::DerivedKey> derive_key(const Secret<32>& root, const DerivationInput& input);

}  // namespace attestbed::sim
