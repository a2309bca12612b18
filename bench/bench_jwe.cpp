// SPDX-License-Identifier: Apache-2.0
// What does it cost the guest to open the broker's answer? The ECDH in it is ecdh/P-521/ours; the rest is header, KDF,
// unwrap and GCM.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>

#include "bench/inputs.h"
#include "core/crypto/concat_kdf.h"

namespace attestbed::bench {
namespace {

/// open_repeatedly restores the ciphertext before each turn, since jwe_open works in place.
void open_repeatedly(benchmark::State& state, const protocol::Decryption& decryption, const Octets& ciphertext,
                     const Octets& plaintext) {
  crypto::EcKey key;
  if (!key.set(crypto::Curve::p521, aproxy_case().scalar)) return state.SkipWithError("no key");
  Octets memory = ciphertext;
  const Result<MutBytes> opened = protocol::jwe_open(key, decryption, memory);
  if (!opened || !equal_ct(*opened, plaintext)) return state.SkipWithError("input rejected");
  for (auto _ : state) {
    std::memcpy(memory.data(), ciphertext.data(), memory.size());
    benchmark::DoNotOptimize(protocol::jwe_open(key, decryption, memory));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(memory.size()));
}

void jwe_open_vector(benchmark::State& state) {
  const AproxyCase& input = aproxy_case();
  open_repeatedly(state, input.decryption(), input.ciphertext, input.plaintext);
}
BENCHMARK(jwe_open_vector)->Name("jwe_open/32 octets");

/// The largest secret there may be, sealed under the vector's content key.
void jwe_open_largest(benchmark::State& state) {
  crypto::EcKey key;
  crypto::EcSharedSecret z;
  protocol::Decryption decryption = aproxy_case().decryption();
  if (!key.set(crypto::Curve::p521, aproxy_case().scalar) || !crypto::ecdh(key, *decryption.epk, z)) {
    return state.SkipWithError("no key");
  }
  const Result<Secret<32>> kek = crypto::ecdh_es_a256kw_kek(z.expose());
  if (!kek) return state.SkipWithError("no key");
  crypto::WrappedKey wrapped;
  std::ranges::copy(decryption.wrapped_cek.octets(), wrapped.begin());
  const Result<Secret<32>> cek = crypto::aes256_unwrap(*kek, wrapped);
  constexpr std::size_t kLargest = 32 * 1024;
  const Octets plaintext(kLargest, 0x5a);
  Octets ciphertext(kLargest);
  if (!cek) return state.SkipWithError("no key");
  const auto tag = crypto::aes256gcm_seal(*cek, decryption.iv, decryption.aad, plaintext, ciphertext);
  if (!tag) return state.SkipWithError("not sealed");
  decryption.tag = *tag;
  open_repeatedly(state, decryption, ciphertext, plaintext);
}
BENCHMARK(jwe_open_largest)->Name("jwe_open/32 KiB");

}  // namespace
}  // namespace attestbed::bench
