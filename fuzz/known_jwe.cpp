// SPDX-License-Identifier: Apache-2.0
#include "fuzz/known_jwe.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

std::string octets(const nlohmann::json& hex) {
  std::string bytes;
  must(posix::from_hex(hex.get<std::string>(), bytes), "the vector is hex");
  return bytes;
}

template <std::size_t N>
ByteArray<N> exactly(const nlohmann::json& hex) {
  const std::string bytes = octets(hex);
  must(bytes.size() == N, "the vector has its length");
  ByteArray<N> array;
  std::memcpy(array.data(), bytes.data(), N);
  return array;
}

nlohmann::json parsed(const char* path) {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + path);
  return nlohmann::json::parse(file);
}

nlohmann::json vector_of(protocol::KeyType key) {
  const bool recorded = key == protocol::KeyType::p521;
  const auto all = parsed(recorded ? "/core/testdata/aproxy-vectors.json" : "/docs/vectors/guest-keys.json");
  const std::string name = recorded ? "plain" : protocol::key_type_name(key);
  for (const auto& vector : all.at("cases")) {
    if (vector.at("name") == name) return vector;
  }
  must(false, "the file has the case");
  return {};
}

void set_ec(const nlohmann::json& vector, KnownJwe& known) {
  const crypto::Curve curve = curve_of(known.key.type);
  must(bool(known.key.ec.set(curve, bytes_of(octets(vector.at("guest_key").at("d"))))), "the scalar is good");
  const auto x = octets(vector.at("epk").at("x")), y = octets(vector.at("epk").at("y"));
  known.decryption.epk = *crypto::EcPoint::make(curve, bytes_of(x), bytes_of(y), "epk");
  known.decryption.wrapped_cek = exactly<40>(vector.at("wrapped_cek"));
}

void set_rsa(const nlohmann::json& vector, KnownJwe& known) {
  const auto p = octets(vector.at("guest_key").at("p")), q = octets(vector.at("guest_key").at("q"));
  must(bool(known.key.rsa.set(bytes_of(p), bytes_of(q))), "the primes are good");
  known.decryption.wrapped_cek = exactly<384>(vector.at("wrapped_cek"));
}

void read(protocol::KeyType key, KnownJwe& known) {
  const auto vector = vector_of(key);
  known.key.type = key;
  is_ec(key) ? set_ec(vector, known) : set_rsa(vector, known);
  known.cek = Secret<32>(exactly<32>(vector.at("cek")));
  known.header = vector.at("protected_header_json");
  known.aad = vector.at("protected");
  known.plaintext = octets(vector.at("plaintext"));
  known.ciphertext = octets(vector.at("ciphertext"));
  known.decryption.aad = bytes_of(known.aad);
  known.decryption.iv = exactly<12>(vector.at("iv"));
  known.decryption.tag = exactly<16>(vector.at("tag"));
}

template <protocol::KeyType Key>
const KnownJwe& read_once() {
  static const KnownJwe& known = []() -> const KnownJwe& {
    static KnownJwe fresh;
    read(Key, fresh);
    return fresh;
  }();
  return known;
}

}  // namespace

const KnownJwe& known_jwe(protocol::KeyType key) {
  switch (key) {
    case protocol::KeyType::p521:
      break;
    case protocol::KeyType::p256:
      return read_once<protocol::KeyType::p256>();
    case protocol::KeyType::rsa3072:
      return read_once<protocol::KeyType::rsa3072>();
  }
  return read_once<protocol::KeyType::p521>();
}

}  // namespace attestbed::fuzz
