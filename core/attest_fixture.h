// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/attest.h"
#include "core/crypto/concat_kdf.h"
#include "core/posix/describe.h"
#include "core/protocol/frame.h"

// What attest() meets in its tests: a host under the test's hand, a firmware that signs nothing, time that stands
// still.
namespace attestbed {

using nlohmann::json;

class HandClock final : public Clock {
 public:
  Instant now() override { return at; }
  void wait_until(Instant until) override { at = until; }
  Instant at{};
};

class CountingEntropy final : public Entropy {
 public:
  Status fill(MutBytes into) override {
    for (auto& octet : into) octet = next_ += 7;
    return ok();
  }

 private:
  std::uint8_t next_ = 1;
};

inline std::string base64(Base64 alphabet, Bytes octets) {
  std::vector<std::uint8_t> buffer(octets.size() * 2 + 4);
  Writer out(buffer);
  base64_encode(alphabet, octets, out);
  return std::string(text_of(*out.finish("test")));
}

// Signs nothing: a report that binds what it was asked to bind. The broker's side of that is tested elsewhere.
class BindingProvider final : public ReportProvider {
 public:
  Result<Evidence> report(const snp::ReportData& report_data, Deadline) override {
    if (fail) return *fail;
    snp::RawReport report{};
    report.version = 3;
    report.report_data = report_data;
    change(report);
    asked.push_back(report_data);
    return Evidence{report, {}};
  }
  std::optional<Error> fail;
  std::function<void(snp::RawReport&)> change = [](auto&) {};
  std::vector<snp::ReportData> asked;
};

// A proxy and its broker in one object, honest unless a test changes one of its two answers. It speaks JSON through
// nlohmann, so that guest and host do not share a codec, and seals with the broker's half of the JWE.
class FakeHost final : public Transport {
 public:
  std::string secret = "the secret";
  std::string challenge = std::string(32, '\x17');
  std::function<void(json&)> change_negotiation = [](json&) {};
  std::function<void(json&)> change_answer = [](json&) {};
  std::optional<Errc> silence_before;  // read error instead of the answers
  std::optional<std::size_t> late;     // nothing can be read before more than so many messages came
  std::vector<json> received;

  Status write_all(Bytes from, Deadline) override {
    incoming_.append(text_of(from));
    while (incoming_.size() >= 8) {
      std::uint64_t length = 0;
      std::memcpy(&length, incoming_.data(), 8);
      if (incoming_.size() < 8 + length) break;
      received.push_back(json::parse(incoming_.substr(8, length)));
      incoming_.erase(0, 8 + length);
      reply(received.back().contains("version") ? negotiate() : release(received.back()));
    }
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (silence_before) return Error{*silence_before, "FakeHost"};
    if (late && received.size() <= *late) return Error{Errc::deadline, "FakeHost"};
    if (outgoing_.empty()) return Error{Errc::closed, "FakeHost"};
    const std::size_t n = std::min(into.size(), outgoing_.size());
    std::memcpy(into.data(), outgoing_.data(), n);
    outgoing_.erase(0, n);
    return n;
  }

 private:
  void reply(const json& message) {
    const std::string text = message.dump();
    const le64 length(text.size());
    outgoing_.append(reinterpret_cast<const char*>(&length), 8).append(text);
  }
  json negotiate() {
    json message = {{"challenge", base64(Base64::standard, bytes_of(challenge))},
                    {"params", {"EcPublicKeyBytes", "Challenge"}}};
    if (received[0].contains("ext")) message["ext"]["accepted"] = received[0]["ext"];
    change_negotiation(message);
    return message;
  }
  static std::string decode(const json& text) {
    std::string octets = text;
    const MutBytes span(reinterpret_cast<std::uint8_t*>(octets.data()), octets.size());
    return std::string(text_of(*base64_decode(Base64::standard, span, span, "test")));
  }
  static void wrap_ec(const json& key, const Secret<32>& cek, json& header, json& decryption) {
    const std::string x = decode(key["x"]), y = decode(key["y"]);
    const crypto::Curve curve = x.size() == 32 ? crypto::Curve::p256 : crypto::Curve::p521;
    const auto guest = *crypto::EcPoint::make(curve, bytes_of(x), bytes_of(y), "test");
    CountingEntropy entropy;
    crypto::EcKey epk;
    EXPECT_TRUE(epk.generate(curve, entropy));
    crypto::EcSharedSecret z;
    EXPECT_TRUE(crypto::ecdh(epk, guest, z));
    const auto kek = crypto::ecdh_es_a256kw_kek(z.expose());
    const auto wrapped = crypto::aes256_wrap(*kek, cek);
    header = {{"alg", "ECDH-ES+A256KW"},
              {"enc", "A256GCM"},
              {"epk",
               {{"crv", curve == crypto::Curve::p256 ? "P-256" : "P-521"},
                {"kty", "EC"},
                {"x", base64(Base64::url, epk.point().x())},
                {"y", base64(Base64::url, epk.point().y())}}}};
    decryption["epk"] = {{"x", base64(Base64::standard, epk.point().x())},
                         {"y", base64(Base64::standard, epk.point().y())}};
    decryption["wrapped_cek"] = base64(Base64::standard, *wrapped);
  }
  static void wrap_rsa(const json& key, const Secret<32>& cek, json& header, json& decryption) {
    const std::string n = decode(key["n"]), e = decode(key["e"]);
    const auto guest = crypto::RsaPublicKey::make(bytes_of(n), bytes_of(e), "test");
    EXPECT_TRUE(guest);
    const auto wrapped = crypto::rsa_oaep_sha256_seal(*guest, cek);
    header = {{"alg", "RSA-OAEP-256"}, {"enc", "A256GCM"}};
    decryption["wrapped_cek"] = base64(Base64::standard, *wrapped);
  }
  json release(const json& request) {
    const Secret<32> cek;
    json header, decryption;
    if (request["key"].contains("n")) {
      wrap_rsa(request["key"], cek, header, decryption);
    } else {
      wrap_ec(request["key"], cek, header, decryption);
    }
    const std::string aad = base64(Base64::url, bytes_of(header.dump()));
    std::string ciphertext = secret;
    const MutBytes octets(reinterpret_cast<std::uint8_t*>(ciphertext.data()), ciphertext.size());
    const crypto::GcmIv iv{};
    const auto tag = crypto::aes256gcm_seal(cek, iv, bytes_of(aad), octets, octets);
    decryption["aad"] = base64(Base64::standard, bytes_of(aad));
    decryption["iv"] = base64(Base64::standard, iv);
    decryption["tag"] = base64(Base64::standard, *tag);
    json message = {{"success", true},
                    {"secret", base64(Base64::standard, octets)},
                    {"decryption", decryption},
                    {"token", {{"Jwt", "a.b.c"}}}};
    change_answer(message);
    return message;
  }
  std::string incoming_, outgoing_;
};

class AttestTest : public testing::Test {
 protected:
  Result<Released> run() { return attest({host_, reports_, entropy_, clock_}, config_, *workspace_); }
  FakeHost host_;
  BindingProvider reports_;
  CountingEntropy entropy_;
  HandClock clock_;
  AttestConfig config_{.secret_auth = SecretAuth::none};
  std::unique_ptr<Workspace> workspace_ = std::make_unique<Workspace>();
};

}  // namespace attestbed
