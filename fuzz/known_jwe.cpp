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

void read(KnownJwe& known) {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json");
  const auto vector = nlohmann::json::parse(file).at("cases").at(0);
  must(vector.at("name") == "plain", "the first case is `plain`");
  must(bool(known.key.set(crypto::Curve::p521, bytes_of(octets(vector.at("guest_key").at("d"))))),
       "the scalar is good");
  known.cek = Secret<32>(exactly<32>(vector.at("cek")));
  known.header = vector.at("protected_header_json");
  known.aad = octets(vector.at("aad"));
  known.plaintext = octets(vector.at("plaintext"));
  known.ciphertext = octets(vector.at("ciphertext"));
  const auto x = octets(vector.at("epk").at("x")), y = octets(vector.at("epk").at("y"));
  known.decryption = {.epk = *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(x), bytes_of(y), "epk"),
                      .wrapped_cek = exactly<40>(vector.at("wrapped_cek")),
                      .aad = bytes_of(known.aad),
                      .iv = exactly<12>(vector.at("iv")),
                      .tag = exactly<16>(vector.at("tag"))};
}

}  // namespace

const KnownJwe& known_jwe() {
  static const KnownJwe& known = []() -> const KnownJwe& {
    static KnownJwe fresh;
    read(fresh);
    return fresh;
  }();
  return known;
}

}  // namespace attestbed::fuzz
