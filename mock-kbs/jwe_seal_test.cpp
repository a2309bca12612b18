// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/jwe_seal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

// Yields what it was given, in order: so the seal's choices are those of the vector.
class ScriptedEntropy final : public Entropy {
 public:
  explicit ScriptedEntropy(std::string octets) : octets_(std::move(octets)) {}
  Status fill(MutBytes into) override {
    if (into.size() > octets_.size() - at_) return Error{Errc::internal, "ScriptedEntropy"};
    std::ranges::copy(bytes_of(octets_).subspan(at_, into.size()), into.begin());
    at_ += into.size();
    return ok();
  }
  bool spent() const { return at_ == octets_.size(); }

 private:
  std::string octets_;
  std::size_t at_ = 0;
};

std::string octets(const json& object, const char* name) {
  std::string out;
  EXPECT_TRUE(posix::from_hex(object.at(name).get<std::string>(), out)) << name;
  return out;
}

json vectors() {
  std::ifstream file(ATTESTBED_SOURCE_DIR "/core/testdata/aproxy-vectors.json");
  return json::parse(file);
}

protocol::GuestPublicKey recipient(const json& key) {
  return protocol::GuestPublicKey::of(
      *crypto::EcPoint::make(crypto::Curve::p521, bytes_of(octets(key, "x")), bytes_of(octets(key, "y")), "vector"));
}

TEST(JweSeal, MakesEveryResourceAnswerOfTheVectorsOctetForOctet) {
  int cases = 0;
  const json all = vectors();
  for (const json& vector : all.at("cases")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    ScriptedEntropy entropy(octets(vector.at("epk"), "d") + octets(vector, "cek") + octets(vector, "iv"));
    const std::string plaintext = octets(vector, "plaintext");
    const Checked<std::string> sealed = jwe_seal(recipient(vector.at("guest_key")), bytes_of(plaintext), entropy);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(*sealed, vector.at("kbs_http").at("resource_response").get<std::string>());
    EXPECT_TRUE(entropy.spent());
    ++cases;
  }
  EXPECT_EQ(cases, 5);
}

TEST(JweSeal, MakesTheP256AnswerOfTheVectorsOctetForOctet) {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + "/docs/vectors/guest-keys.json");
  const json vector = json::parse(file).at("cases").at(1);
  ASSERT_EQ(vector.at("name"), "P-256");
  const json& key = vector.at("guest_key");
  const auto point =
      crypto::EcPoint::make(crypto::Curve::p256, bytes_of(octets(key, "x")), bytes_of(octets(key, "y")), "vector");
  ScriptedEntropy entropy(octets(vector.at("epk"), "d") + octets(vector, "cek") + octets(vector, "iv"));
  const std::string plaintext = octets(vector, "plaintext");
  const Checked<std::string> sealed = jwe_seal(protocol::GuestPublicKey::of(*point), bytes_of(plaintext), entropy);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(*sealed, vector.at("kbs_http").at("resource_response").get<std::string>());
  EXPECT_TRUE(entropy.spent());
}

TEST(JweSeal, RefusesAPointThatIsNotOnTheCurve) {
  const json vector = vectors().at("cases").at(0);
  std::string y = octets(vector.at("guest_key"), "y");
  y.back() = static_cast<char>(y.back() ^ 1);
  const auto off =
      crypto::EcPoint::make(crypto::Curve::p521, bytes_of(octets(vector.at("guest_key"), "x")), bytes_of(y), "x");
  ScriptedEntropy entropy(octets(vector.at("epk"), "d") + octets(vector, "cek") + octets(vector, "iv"));
  const Checked<std::string> sealed = jwe_seal(protocol::GuestPublicKey::of(*off), {}, entropy);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::bad_point);
}

TEST(JweSeal, FailsWhenEntropyDoes) {
  const json vector = vectors().at("cases").at(0);
  const std::string all = octets(vector.at("epk"), "d") + octets(vector, "cek") + octets(vector, "iv");
  for (const std::size_t have : {std::size_t{0}, std::size_t{66}, std::size_t{98}, all.size() - 1}) {
    ScriptedEntropy entropy(all.substr(0, have));
    EXPECT_FALSE(jwe_seal(recipient(vector.at("guest_key")), {}, entropy)) << have;
  }
}

}  // namespace
}  // namespace attestbed::kbs
