// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/guest_result.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

// As attest-guest prints it, shortened; two members that nothing here knows.
constexpr const char* kReleased =
    R"({"outcome":"released","exit":0,"attestation":"fe32292e7901655a","secret":{"octets":12,"kept_in":null},)"
    R"("phases":[{"name":"connected","ms":1.5}],"frames":[{"message":"NegotiationRequest","from":"guest","octets":39}],)"
    R"("boot":{"kernel_ms":1700.1,"init_ms":null},"terms":{"binding":"svsm-sha512"},"later":[1,true]})";

TEST(GuestResult, IsReadAsItIs) {
  const GuestResult read = read_guest_result(kReleased);
  EXPECT_EQ(read.wrong, "");
  EXPECT_EQ(read.object["secret"]["octets"], 12);
  EXPECT_TRUE(read.object["code"].is_null()) << "there in any case";
  EXPECT_EQ(read.object["later"], nlohmann::ordered_json::parse("[1,true]"));
}

struct Wrong {
  const char* name;
  std::string text;
  const char* says;
};
class WrongResults : public testing::TestWithParam<Wrong> {};

TEST_P(WrongResults, AreNamed) {
  const GuestResult read = read_guest_result(GetParam().text);
  EXPECT_NE(read.wrong.find(GetParam().says), std::string::npos) << read.wrong;
  EXPECT_TRUE(read.object.is_null());
}

std::string with(const std::string& members) {
  return R"({"outcome":"failed","exit":3,)" + members + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongResults,
    testing::Values(Wrong{"Nothing", "", "found nothing"}, Wrong{"NoJson", "{", "one JSON object"},
                    Wrong{"NoObject", "[]", "one JSON object"},
                    Wrong{"TooLong", std::string(kMaxGuestResult + 1, ' '), "at most 65536 octets, found 65537"},
                    Wrong{"TooDeep", with("\"x\":" + std::string(9, '[') + std::string(9, ']')), "8 levels"},
                    Wrong{"VeryDeep", std::string(60'000, '['), "8 levels"},
                    Wrong{"NoOutcome", R"({"exit":0})", "outcome: expected released, refused or failed, found none"},
                    Wrong{"Outcome", R"({"outcome":"won","exit":0})", "outcome: expected released"},
                    Wrong{"NoExit", R"({"outcome":"failed"})", "exit: expected a number up to 255, found none"},
                    Wrong{"Exit", R"({"outcome":"failed","exit":256})", "exit: expected"},
                    Wrong{"ExitNegative", R"({"outcome":"failed","exit":-1})", "exit: expected"},
                    Wrong{"Code", with(R"("code":5)"), "code: expected a text or null"},
                    Wrong{"Found", with(R"("found":"x")"), "found: expected a whole number"},
                    Wrong{"Secret", with(R"("secret":5)"), "secret: expected an object or null"},
                    Wrong{"SecretOctets", with(R"("secret":{})"), "secret.octets: expected a whole number, found none"},
                    Wrong{"Phases", with(R"("phases":{})"), "phases: expected a list"},
                    Wrong{"Phase", with(R"("phases":[1])"), "phases[0]: expected an object"},
                    Wrong{"PhaseMs", with(R"("phases":[{"name":"a","ms":"b"}])"), "phases[0].ms: expected a number"},
                    Wrong{"FrameOctets", with(R"("frames":[{"message":"a"}])"), "frames[0].octets: expected"},
                    Wrong{"Boot", with(R"("boot":{"kernel_ms":"now"})"), "boot.kernel_ms: expected a number or null"},
                    Wrong{"Escape", with(R"("meaning":"\u001b[31m")"), "control characters"},
                    Wrong{"EscapeElsewhere", with(R"("later":[{"\u0007":1}])"), "control characters"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace attestbed::tools
