// SPDX-License-Identifier: Apache-2.0
#include "sim/seeded_rand.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <new>

#include "core/base/wire.h"
#include "core/crypto/sha2.h"

// OpenSSL asks a provider for randomness through an EVP_RAND. This one answers SHA-256(key || stream || counter), block
// after block. Instances exist per thread, so threads never see each other's streams.
namespace attestbed::sim {
namespace {

constexpr char kProviderName[] = "attestbed-seeded";
constexpr char kRandName[] = "ATTESTBED-SEEDED";
constexpr char kParamKey[] = "key";
constexpr std::size_t kMaxRequest = 1 << 16;

struct Stream {
  ByteArray<33> key{};  // the last octet tells public from private randomness
  bool keyed = false;
  std::uint64_t counter = 0;
  ByteArray<32> block{};
  std::size_t used = 32;
};

void* new_stream(void*, void*, const OSSL_DISPATCH*) {
  return new (std::nothrow) Stream;
}
void free_stream(void* stream) {
  delete static_cast<Stream*>(stream);
}

int instantiate(void*, unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) {
  return 1;
}
int uninstantiate(void*) {
  return 1;
}

int generate(void* opaque, unsigned char* out, std::size_t size, unsigned, int, const unsigned char*, std::size_t) {
  Stream& stream = *static_cast<Stream*>(opaque);
  if (!stream.keyed) return 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (stream.used == stream.block.size()) {
      const le64 counter = stream.counter++;
      const auto block =
          crypto::sha256({stream.key, {reinterpret_cast<const std::uint8_t*>(&counter), sizeof counter}});
      if (!block) return 0;
      stream.block = *block;
      stream.used = 0;
    }
    out[i] = stream.block[stream.used++];
  }
  return 1;
}

int get_parameters(void* opaque, OSSL_PARAM params[]) {
  const int state = static_cast<Stream*>(opaque)->keyed ? EVP_RAND_STATE_READY : EVP_RAND_STATE_UNINITIALISED;
  OSSL_PARAM* param = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
  if (param != nullptr && OSSL_PARAM_set_int(param, state) == 0) return 0;
  param = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
  if (param != nullptr && OSSL_PARAM_set_uint(param, 256) == 0) return 0;
  param = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
  if (param != nullptr && OSSL_PARAM_set_size_t(param, kMaxRequest) == 0) return 0;
  return 1;
}

int set_parameters(void* opaque, const OSSL_PARAM params[]) {
  const OSSL_PARAM* key = OSSL_PARAM_locate_const(params, kParamKey);
  if (key == nullptr) return 1;
  Stream fresh;
  if (key->data_type != OSSL_PARAM_OCTET_STRING || key->data_size != fresh.key.size()) return 0;
  std::copy_n(static_cast<const std::uint8_t*>(key->data), key->data_size, fresh.key.begin());
  fresh.keyed = true;
  *static_cast<Stream*>(opaque) = fresh;
  return 1;
}

// OpenSSL demands locks for its primary generator, which is never asked here: each thread's instance is its own.
int enable_locking(void*) {
  return 1;
}
int lock(void*) {
  return 1;
}
void unlock(void*) {}

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_DISPATCH kRandFunctions[] = {
    entry(OSSL_FUNC_RAND_NEWCTX, new_stream),
    entry(OSSL_FUNC_RAND_FREECTX, free_stream),
    entry(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
    entry(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
    entry(OSSL_FUNC_RAND_GENERATE, generate),
    entry(OSSL_FUNC_RAND_GET_CTX_PARAMS, get_parameters),
    entry(OSSL_FUNC_RAND_SET_CTX_PARAMS, set_parameters),
    entry(OSSL_FUNC_RAND_ENABLE_LOCKING, enable_locking),
    entry(OSSL_FUNC_RAND_LOCK, lock),
    entry(OSSL_FUNC_RAND_UNLOCK, unlock),
    {0, nullptr},
};

const OSSL_ALGORITHM kRandAlgorithms[] = {
    {kRandName, "provider=attestbed-seeded", kRandFunctions, "SHA-256 in counter mode under a caller's key"},
    {nullptr, nullptr, nullptr, nullptr},
};

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? kRandAlgorithms : nullptr;
}

const OSSL_DISPATCH kProviderFunctions[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, nullptr}};

int provider_init(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  *out = kProviderFunctions;
  // The context only has to be non-null: there is no state beyond each instance's.
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);
  return 1;
}

bool set_key(EVP_RAND_CTX* rand, const ByteArray<32>& key, std::uint8_t which) {
  ByteArray<33> full{};
  std::copy(key.begin(), key.end(), full.begin());
  full[32] = which;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(kParamKey, full.data(), full.size()),
                         OSSL_PARAM_construct_end()};
  return rand != nullptr && EVP_RAND_CTX_set_params(rand, params) == 1;
}

}  // namespace

bool install_seeded_rand(OSSL_LIB_CTX* context, OSSL_PROVIDER** provider) {
  if (OSSL_PROVIDER_add_builtin(context, kProviderName, provider_init) != 1) return false;
  *provider = OSSL_PROVIDER_load(context, kProviderName);
  return *provider != nullptr && RAND_set_DRBG_type(context, kRandName, nullptr, nullptr, nullptr) == 1;
}

bool set_rand_key(OSSL_LIB_CTX* context, const ByteArray<32>& key) {
  return set_key(RAND_get0_public(context), key, 0) && set_key(RAND_get0_private(context), key, 1);
}

}  // namespace attestbed::sim
