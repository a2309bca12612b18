// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/wire.h"
#include "core/snp/report.h"
#include "sim/signing_key.h"

namespace attestbed::sim {

using KeyDigest = ByteArray<48>;

inline constexpr std::uint32_t kCurveP384 = 2;

/// LaunchKey is an ID key or author key as the firmware takes it: a P-384 point, its coordinates little-endian in
/// 72-octet fields whose upper 24 octets are zero (56860 ID_AUTH).
struct LaunchKey {
  le32 curve;           // 0x000
  std::uint8_t qx[72];  // 0x004
  std::uint8_t qy[72];  // 0x04c
  std::uint8_t reserved[0x370];
};
static_assert(sizeof(LaunchKey) == 0x404 && alignof(LaunchKey) == 1);

inline Bytes octets_of(const LaunchKey& key) {
  return {reinterpret_cast<const std::uint8_t*>(&key), sizeof key};
}

/// launch_key_of is the public half of `key`. Errors: bad_value if it is not P-384; internal.
Result<LaunchKey> launch_key_of(const SigningKey& key);

/// digest_of is what reports show of the key: SHA-384 over all 0x404 octets. Errors: internal.
Result<KeyDigest> digest_of(const LaunchKey& key);

/// verifies says whether `signature` is one of ECDSA P-384 with SHA-384 over `message`. False too for a key on another
/// curve, a point that is not on its curve, and numbers that do not fit their 48 octets. The reserved octets of key and
/// signature are the caller's to judge.
bool verifies(const LaunchKey& key, const snp::RawSignature& signature, Bytes message);

}  // namespace attestbed::sim
