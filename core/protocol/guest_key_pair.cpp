// SPDX-License-Identifier: Apache-2.0
// Apart from the public half: whoever only reads guests' keys links nothing that makes them.
#include "core/protocol/guest_key.h"

namespace attestbed::protocol {

Status GuestKey::generate(KeyType which, Entropy& entropy, Clock& clock, Deadline until,
                          crypto::KeyProgress* progress) {
  type = which;
  return is_ec(which) ? ec.generate(curve_of(which), entropy) : rsa.generate(entropy, clock, until, progress);
}

GuestPublicKey GuestKey::public_key() const {
  return is_ec(type) ? GuestPublicKey::of(ec.point()) : GuestPublicKey::of(rsa.public_key());
}

}  // namespace attestbed::protocol
