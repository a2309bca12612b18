// SPDX-License-Identifier: Apache-2.0
#include "bench/inputs.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/posix/describe.h"

namespace attestbed::bench {
namespace {

std::string contents(const std::string& path) {
  const Result<std::string> octets = posix::read_file(ATTESTBED_SOURCE_DIR "/" + path, 1 << 20);
  if (!octets) throw std::runtime_error(path + ": " + posix::describe(octets.error()));
  return *octets;
}

Octets octets_in(const nlohmann::json& object, const char* name) {
  std::string octets;
  if (!posix::from_hex(object.at(name).get<std::string>(), octets)) throw std::runtime_error(name);
  return {octets.begin(), octets.end()};
}

template <std::size_t N>
ByteArray<N> fixed(const Octets& octets) {
  if (octets.size() != N) throw std::runtime_error("a vector has another width");
  ByteArray<N> array;
  std::memcpy(array.data(), octets.data(), N);
  return array;
}

AproxyCase read_case() {
  const nlohmann::json all = nlohmann::json::parse(contents("core/testdata/aproxy-vectors.json"));
  const nlohmann::json& plain = all.at("cases").at(0);
  const nlohmann::json& frames = plain.at("frames");
  AproxyCase made{.scalar = octets_in(plain.at("guest_key"), "d"),
                  .epk_x = octets_in(plain.at("epk"), "x"),
                  .epk_y = octets_in(plain.at("epk"), "y"),
                  .wrapped_cek = octets_in(plain, "wrapped_cek"),
                  .aad = octets_in(plain, "aad"),
                  .iv = octets_in(plain, "iv"),
                  .tag = octets_in(plain, "tag"),
                  .ciphertext = octets_in(plain, "ciphertext"),
                  .plaintext = octets_in(plain, "plaintext"),
                  .negotiation_response = octets_in(frames.at("negotiation_response"), "frame"),
                  .attestation_response = octets_in(frames.at("attestation_response"), "len_prefix")};
  const std::string text = frames.at("attestation_response").at("json").get<std::string>();
  made.attestation_response.insert(made.attestation_response.end(), text.begin(), text.end());
  return made;
}

}  // namespace

protocol::Decryption AproxyCase::decryption() const {
  return {.epk = *crypto::EcPoint::make(crypto::Curve::p521, epk_x, epk_y, "epk"),
          .wrapped_cek = fixed<40>(wrapped_cek),
          .aad = aad,
          .iv = fixed<12>(iv),
          .tag = fixed<16>(tag)};
}

const AproxyCase& aproxy_case() {
  static const AproxyCase read = read_case();
  return read;
}

Octets sample(const std::string& path) {
  const std::string octets = contents("core/verify/testdata/" + path);
  return {octets.begin(), octets.end()};
}

}  // namespace attestbed::bench
