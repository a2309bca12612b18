// SPDX-License-Identifier: Apache-2.0
// What do key operations cost, and what do our functions add to EVP? Both sides of each comparison run in one process,
// in one library context.
//   raw     the fewest EVP calls that do the same. Key generation: from resident domain parameters, and the point's
//           octets taken out, since a key is made to be sent. ECDH: a resident own key, the peer's octets imported
//           (which checks that they are a point), and the full check of EVP left out as in ours
//   raw, EVP's own check   the same with EVP_PKEY_derive_set_peer's default, which multiplies the peer by the order
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "bench/interleaved.h"
#include "core/crypto/openssl/library.h"
#include "core/posix/clock.h"

namespace attestbed::bench {
namespace {

using crypto::Curve;
using openssl::Key;
using openssl::KeyContext;

constexpr std::size_t kMaxPointBytes = 1 + 2 * crypto::kMaxCoordinateBytes;

struct Name {
  const char* curve;
  OSSL_PARAM parameter() const {
    return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve), 0);
  }
};

Key from_data(int selection, OSSL_PARAM* params) {
  const KeyContext make(EVP_PKEY_CTX_new_from_name(openssl::library_context(), "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!make || EVP_PKEY_fromdata_init(make.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(make.get(), &key, selection, params) != 1) return nullptr;
  return Key(key);
}

Key generate(EVP_PKEY* parameters) {
  const KeyContext make(EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), parameters, nullptr));
  EVP_PKEY* key = nullptr;
  if (!make || EVP_PKEY_keygen_init(make.get()) != 1 || EVP_PKEY_generate(make.get(), &key) != 1) return nullptr;
  return Key(key);
}

Key domain_of(Name name) {
  OSSL_PARAM params[] = {name.parameter(), OSSL_PARAM_construct_end()};
  return from_data(EVP_PKEY_KEY_PARAMETERS, params);
}

Key import_point(Name name, std::span<unsigned char> point) {
  OSSL_PARAM params[] = {name.parameter(),
                         OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                         OSSL_PARAM_construct_end()};
  return from_data(EVP_PKEY_PUBLIC_KEY, params);
}

/// derive returns how many octets the shared secret has; 0 if there is none.
std::size_t derive(EVP_PKEY* own, EVP_PKEY* peer, int validate_peer, ByteArray<crypto::kMaxCoordinateBytes>& z) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), own, nullptr));
  std::size_t size = z.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer, validate_peer) != 1 ||
      EVP_PKEY_derive(context.get(), z.data(), &size) != 1) {
    return 0;
  }
  return size;
}

/// point_of is the size of the key's point, put into `octets`; 0 if there is none.
std::size_t point_of(EVP_PKEY* key, ByteArray<kMaxPointBytes>& octets) {
  std::size_t size = 0;
  if (key == nullptr ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size(), &size) != 1) {
    return 0;
  }
  return size;
}

/// RawKeygen and the three below it are the sides of the comparisons: `ready` says whether they do what they should.
struct RawKeygen {
  Key parameters;
  ByteArray<kMaxPointBytes> octets;

  explicit RawKeygen(Name name) : parameters(domain_of(name)) {}
  bool once() { return point_of(generate(parameters.get()).get(), octets) != 0; }
  bool ready() { return once(); }
};

struct OurKeygen {
  Curve curve;
  posix::KernelEntropy entropy;
  crypto::EcKey key;

  explicit OurKeygen(Curve which) : curve(which) {}
  bool once() { return key.generate(curve, entropy).has_value(); }
  bool ready() { return once(); }
};

struct RawExchange {
  Name name;
  int validate_peer;
  Key parameters = domain_of(name), own = generate(parameters.get()), other = generate(parameters.get());
  ByteArray<kMaxPointBytes> point{};
  std::size_t size = point_of(other.get(), point);
  ByteArray<crypto::kMaxCoordinateBytes> z{}, back{};

  RawExchange(Name which, int validate) : name(which), validate_peer(validate) {}
  bool once() {
    const Key peer = import_point(name, std::span(point).first(size));
    return peer != nullptr && derive(own.get(), peer.get(), validate_peer, z) != 0;
  }
  bool ready() {
    return own && size != 0 && once() && derive(other.get(), own.get(), validate_peer, back) != 0 && z == back;
  }
};

struct OurExchange {
  posix::KernelEntropy entropy;
  crypto::EcKey own, other;
  crypto::EcSharedSecret z, back;
  bool made;

  explicit OurExchange(Curve curve) : made(own.generate(curve, entropy) && other.generate(curve, entropy)) {}
  bool once() { return crypto::ecdh(own, other.point(), z).has_value(); }
  bool ready() {
    return made && once() && crypto::ecdh(other, own.point(), back) && std::ranges::equal(z.expose(), back.expose());
  }
};

template <class Operation>
void repeat(benchmark::State& state, Operation& operation) {
  if (!operation.ready()) return state.SkipWithError("input rejected");
  for (auto _ : state) benchmark::DoNotOptimize(operation.once());
}

void keygen_raw(benchmark::State& state, Name name) {
  RawKeygen keygen(name);
  repeat(state, keygen);
}
void keygen_ours(benchmark::State& state, Curve curve) {
  OurKeygen keygen(curve);
  repeat(state, keygen);
}
void ecdh_raw(benchmark::State& state, Name name, int validate_peer) {
  RawExchange exchange(name, validate_peer);
  repeat(state, exchange);
}
void ecdh_ours(benchmark::State& state, Curve curve) {
  OurExchange exchange(curve);
  repeat(state, exchange);
}

template <class Ours, class Raw>
void versus(benchmark::State& state, const char* target, Ours& ours, Raw& raw) {
  if (!ours.ready() || !raw.ready()) return state.SkipWithError("input rejected");
  report(state, target, timed([&] { return ours.once(); }), timed([&] { return raw.once(); }));
}

constexpr Name kP256{"P-256"}, kP384{"P-384"}, kP521{"P-521"};
BENCHMARK_CAPTURE(keygen_raw, p256, kP256)->Name("keygen/P-256/raw");
BENCHMARK_CAPTURE(keygen_ours, p256, Curve::p256)->Name("keygen/P-256/ours");
BENCHMARK_CAPTURE(keygen_raw, p384, kP384)->Name("keygen/P-384/raw");
BENCHMARK_CAPTURE(keygen_raw, p521, kP521)->Name("keygen/P-521/raw");
BENCHMARK_CAPTURE(keygen_ours, p521, Curve::p521)->Name("keygen/P-521/ours");
BENCHMARK_CAPTURE(ecdh_raw, p256, kP256, 0)->Name("ecdh/P-256/raw");
BENCHMARK_CAPTURE(ecdh_ours, p256, Curve::p256)->Name("ecdh/P-256/ours");
BENCHMARK_CAPTURE(ecdh_raw, p256_checked, kP256, 1)->Name("ecdh/P-256/raw, EVP's own check");
BENCHMARK_CAPTURE(ecdh_raw, p384, kP384, 0)->Name("ecdh/P-384/raw");
BENCHMARK_CAPTURE(ecdh_raw, p521, kP521, 0)->Name("ecdh/P-521/raw");
BENCHMARK_CAPTURE(ecdh_ours, p521, Curve::p521)->Name("ecdh/P-521/ours");
BENCHMARK_CAPTURE(ecdh_raw, p521_checked, kP521, 1)->Name("ecdh/P-521/raw, EVP's own check");

void target_keygen(benchmark::State& state, const char* target, Curve curve, Name name) {
  OurKeygen ours(curve);
  RawKeygen raw(name);
  versus(state, target, ours, raw);
}
void target_ecdh(benchmark::State& state, const char* target, Curve curve, Name name) {
  OurExchange ours(curve);
  RawExchange raw(name, 0);
  versus(state, target, ours, raw);
}
BENCHMARK_CAPTURE(target_keygen, p256, "key.p256_keygen", Curve::p256, kP256)
    ->Name("target/key.p256_keygen")
    ->Iterations(1);
BENCHMARK_CAPTURE(target_ecdh, p256, "key.p256_ecdh", Curve::p256, kP256)->Name("target/key.p256_ecdh")->Iterations(1);
BENCHMARK_CAPTURE(target_keygen, p521, "key.p521_keygen", Curve::p521, kP521)
    ->Name("target/key.p521_keygen")
    ->Iterations(1);
BENCHMARK_CAPTURE(target_ecdh, p521, "key.p521_ecdh", Curve::p521, kP521)->Name("target/key.p521_ecdh")->Iterations(1);

constexpr unsigned kRsaBits = 3072;

Key rsa_generate() {
  return Key(EVP_PKEY_Q_keygen(openssl::library_context(), nullptr, "RSA", std::size_t{kRsaBits}));
}

void rsa_keygen_raw(benchmark::State& state) {
  for (auto _ : state) {
    const Key key = rsa_generate();
    if (!key || EVP_PKEY_get_bits(key.get()) != static_cast<int>(kRsaBits)) return state.SkipWithError("no key");
  }
}

/// oaep prepares RSA-OAEP with SHA-256, as RFC 7518's RSA-OAEP-256.
bool oaep(EVP_PKEY_CTX* context, int (*init)(EVP_PKEY_CTX*)) {
  return context != nullptr && init(context) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA2-256", nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA2-256", nullptr) == 1;
}

bool rsa_decrypt(EVP_PKEY* key, Bytes sealed, ByteArray<kRsaBits / 8>& opened, std::size_t& size) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), key, nullptr));
  size = opened.size();
  return oaep(context.get(), EVP_PKEY_decrypt_init) &&
         EVP_PKEY_decrypt(context.get(), opened.data(), &size, sealed.data(), sealed.size()) == 1;
}

void rsa_decrypt_raw(benchmark::State& state) {
  constexpr ByteArray<32> kCek{1, 2, 3, 4};
  const Key key = rsa_generate();
  const KeyContext seal(key ? EVP_PKEY_CTX_new_from_pkey(openssl::library_context(), key.get(), nullptr) : nullptr);
  ByteArray<kRsaBits / 8> sealed, opened;
  std::size_t size = sealed.size();
  if (!oaep(seal.get(), EVP_PKEY_encrypt_init) ||
      EVP_PKEY_encrypt(seal.get(), sealed.data(), &size, kCek.data(), kCek.size()) != 1 ||
      !rsa_decrypt(key.get(), Bytes(sealed).first(size), opened, size) ||
      !std::ranges::equal(Bytes(opened).first(size), kCek)) {
    return state.SkipWithError("does not decrypt what it encrypted");
  }
  for (auto _ : state) benchmark::DoNotOptimize(rsa_decrypt(key.get(), sealed, opened, size));
}

// The search for primes is heavy-tailed: single draws, so that median and maximum show beside the mean. Twenty of them
// tell the order of magnitude, not the second digit.
BENCHMARK(rsa_keygen_raw)
    ->Name("keygen/RSA-3072/raw")
    ->Iterations(1)
    ->Repetitions(20)
    ->ReportAggregatesOnly()
    ->ComputeStatistics("max", [](const std::vector<double>& all) { return *std::ranges::max_element(all); })
    ->Unit(benchmark::kMillisecond);
BENCHMARK(rsa_decrypt_raw)->Name("decrypt/RSA-3072-OAEP-256/raw");

}  // namespace
}  // namespace attestbed::bench
