// SPDX-License-Identifier: Apache-2.0
#include "proxy/fingerprint.h"

#include "core/crypto/sha2.h"
#include "core/posix/describe.h"

namespace attestbed::proxy {

std::string fingerprint(std::string_view text) {
  const Result<crypto::Sha256Digest> digest = crypto::sha256({bytes_of(text)});
  return digest ? posix::to_hex(Bytes(*digest).first(8)) : std::string();
}

}  // namespace attestbed::proxy
