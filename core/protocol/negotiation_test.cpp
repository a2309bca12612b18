// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/negotiation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

MutBytes mut(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

const std::string kChallenge16 = "TageHNDeCX1Q72FbMXVC8A==";
const std::string kParamsText = R"("params":["EcPublicKeyBytes","Challenge"])";
const std::string kGood = R"({"challenge":")" + kChallenge16 + "\"," + kParamsText + "}";

Terms other_terms() {
  Terms terms;
  terms.resource = *ResourcePath::parse("vm-7/luks/root.key", "test");
  return terms;
}
const std::string kOtherTerms = R"({"binding":"svsm-sha512","key":"P-521","resource":"vm-7/luks/root.key"})";

TEST(NegotiationRequest, TheDefaultFrameIsThirtyOneOctets) {
  ByteArray<256> buffer;
  const auto text = encode_negotiation_request({}, buffer);
  ASSERT_TRUE(text);
  EXPECT_EQ(text_of(*text), R"({"version":[0,1,0],"tee":"snp"})");
  NegotiationRequest spelled_out;
  spelled_out.terms = Terms{};
  EXPECT_EQ(text_of(*encode_negotiation_request(spelled_out, buffer)), R"({"version":[0,1,0],"tee":"snp"})");
}

TEST(NegotiationRequest, OtherTermsTravelInExt) {
  ByteArray<256> buffer;
  NegotiationRequest request;
  request.terms = other_terms();
  std::string text(text_of(*encode_negotiation_request(request, buffer)));
  EXPECT_EQ(text, R"({"version":[0,1,0],"tee":"snp","ext":)" + kOtherTerms + "}");
  const auto decoded = decode_negotiation_request(mut(text));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded->terms, other_terms());
}

struct Refused {
  const char* name;
  std::string text;
  Errc code;
};
class NegotiationRequestRejects : public testing::TestWithParam<Refused> {};
TEST_P(NegotiationRequestRejects, WithItsCode) {
  std::string text = GetParam().text;
  const auto decoded = decode_negotiation_request(mut(text));
  ASSERT_FALSE(decoded);
  EXPECT_STREQ(error_name(decoded.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, NegotiationRequestRejects,
    testing::Values(
        Refused{"StructAsArray", R"([[0,1,0],"snp"])", Errc::json_type},
        Refused{"NoVersion", R"({"tee":"snp"})", Errc::json_missing},
        Refused{"NoTee", R"({"version":[0,1,0]})", Errc::json_missing},
        Refused{"FourNumbers", R"({"version":[0,1,0,0],"tee":"snp"})", Errc::bad_length},
        Refused{"NegativeVersion", R"({"version":[0,-1,0],"tee":"snp"})", Errc::json_type},
        Refused{"FractionalVersion", R"({"version":[0,1.0,0],"tee":"snp"})", Errc::json_type},
        Refused{"VersionAbove32Bits", R"({"version":[0,4294967296,0],"tee":"snp"})", Errc::bad_value},
        Refused{"TeeNull", R"({"version":[0,1,0],"tee":null})", Errc::json_type},
        Refused{"DuplicateUnknown", R"({"version":[0,1,0],"tee":"snp","x":1,"x":1})", Errc::json_duplicate},
        Refused{"ExtNull", R"({"version":[0,1,0],"tee":"snp","ext":null})", Errc::json_type},
        Refused{"ExtWithoutKey",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","resource":"a/b/c"}})",
                Errc::json_missing},
        Refused{"UnknownBinding",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"sha1","key":"P-521","resource":"a/b/c"}})",
                Errc::bad_value},
        Refused{"UnknownKey",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-384","resource":"a/b/c"}})",
                Errc::bad_value},
        Refused{"ResourceWithDots",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-521","resource":"a/../c"}})",
                Errc::bad_value},
        Refused{"ResourceOfTwoParts",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-521","resource":"a/b"}})",
                Errc::bad_value},
        Refused{"ResourceTooLong",
                R"({"version":[0,1,0],"tee":"snp","ext":{"binding":"svsm-sha512","key":"P-521","resource":"a/b/)" +
                    std::string(190, 'c') + "\"}}",
                Errc::too_large}),
    [](const auto& row) { return row.param.name; });

TEST(NegotiationResponse, RoundTripsWithAndWithoutAccepted) {
  ByteArray<1024> buffer;
  NegotiationResponse response;
  const std::string octets(32, '\x5a');
  response.challenge = *Challenge::make(bytes_of(octets));
  std::string plain(text_of(*encode_negotiation_response(response, buffer)));
  const auto decoded = decode_negotiation_response(mut(plain), nullptr);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded->challenge, *response.challenge);

  response.accepted = other_terms();
  std::string with(text_of(*encode_negotiation_response(response, buffer)));
  const Terms stated = other_terms();
  EXPECT_TRUE(decode_negotiation_response(mut(with), &stated));
}

class NegotiationResponseRejects : public testing::TestWithParam<Refused> {};
TEST_P(NegotiationResponseRejects, WithItsCode) {
  std::string text = GetParam().text;
  const auto decoded = decode_negotiation_response(mut(text), nullptr);
  ASSERT_FALSE(decoded);
  EXPECT_STREQ(error_name(decoded.error().code), error_name(GetParam().code));
}
const std::string kErrorText = R"("error":{"code":"broker_timeout","phase":"negotiation","detail":"x"})";
INSTANTIATE_TEST_SUITE_P(
    Table, NegotiationResponseRejects,
    testing::Values(
        Refused{"ParamsMissing", R"({"challenge":")" + kChallenge16 + "\"}", Errc::json_missing},
        Refused{"ChallengeMissing", "{" + kParamsText + "}", Errc::json_missing},
        Refused{"ParamsReversed",
                R"({"challenge":")" + kChallenge16 + R"(","params":["Challenge","EcPublicKeyBytes"]})",
                Errc::host_chosen_params},
        Refused{"ParamsTwice",
                R"({"challenge":")" + kChallenge16 + R"(","params":["EcPublicKeyBytes","Challenge","Challenge"]})",
                Errc::host_chosen_params},
        Refused{"ParamsKeyOnly", R"({"challenge":")" + kChallenge16 + R"(","params":["EcPublicKeyBytes"]})",
                Errc::host_chosen_params},
        Refused{"ParamsChallengeOnly", R"({"challenge":")" + kChallenge16 + R"(","params":["Challenge"]})",
                Errc::host_chosen_params},
        Refused{"ParamAsTaggedNull",
                R"({"challenge":")" + kChallenge16 + R"(","params":["EcPublicKeyBytes",{"Challenge":null}]})",
                Errc::json_type},
        Refused{"Challenge15", R"({"challenge":"AAAAAAAAAAAAAAAAAAAA",)" + kParamsText + "}",
                Errc::host_chosen_challenge},
        Refused{"ChallengeEmpty", R"({"challenge":"",)" + kParamsText + "}", Errc::host_chosen_challenge},
        Refused{"Challenge66", R"({"challenge":")" + std::string(88, 'A') + "\"," + kParamsText + "}",
                Errc::host_chosen_challenge},
        Refused{"ChallengeHuge", R"({"challenge":")" + std::string(40000, 'A') + "\"," + kParamsText + "}",
                Errc::host_chosen_challenge},
        Refused{"ErrorBesideChallenge", R"({"challenge":")" + kChallenge16 + "\",\"ext\":{" + kErrorText + "}}",
                Errc::contradiction},
        Refused{"ErrorBesideParams", "{" + kParamsText + ",\"ext\":{" + kErrorText + "}}", Errc::contradiction},
        Refused{"ErrorBesideAccepted", R"({"ext":{"accepted":17,)" + kErrorText + "}}", Errc::contradiction},
        Refused{"ErrorBesideNullChallenge", R"({"challenge":null,"ext":{)" + kErrorText + "}}", Errc::json_type},
        Refused{"ErrorWithoutPhase", R"({"ext":{"error":{"code":"refused","detail":"x"}}})", Errc::json_missing},
        Refused{"ErrorOfUnknownPhase", R"({"ext":{"error":{"code":"refused","phase":"later","detail":"x"}}})",
                Errc::bad_value},
        Refused{"EmptyObject", "{}", Errc::json_missing}),
    [](const auto& row) { return row.param.name; });

TEST(NegotiationResponse, AcceptedMustEqualWhatTheGuestStated) {
  const Terms stated = other_terms();
  const auto answer = [&](const std::string& ext) {
    std::string text = kGood.substr(0, kGood.size() - 1) + ext + "}";
    return decode_negotiation_response(mut(text), &stated);
  };
  EXPECT_TRUE(answer(R"(,"ext":{"accepted":)" + kOtherTerms + "}"));
  EXPECT_EQ(answer("").error().code, Errc::ext_not_honoured) << "what a stock aproxy answers";
  EXPECT_EQ(answer(R"(,"ext":{})").error().code, Errc::ext_not_honoured);
  EXPECT_EQ(answer(R"(,"ext":{"accepted":{"binding":"svsm-sha512","key":"P-521","resource":"default/sample/test"}})")
                .error()
                .code,
            Errc::ext_not_honoured);
  EXPECT_EQ(answer(R"(,"ext":{"accepted":{"binding":"kbs-sha384","key":"P-521","resource":"vm-7/luks/root.key"}})")
                .error()
                .code,
            Errc::ext_not_honoured);
}

TEST(NegotiationResponse, AGuestThatStatedNothingIgnoresAccepted) {
  std::string text = kGood.substr(0, kGood.size() - 1) + R"(,"ext":{"accepted":17,"later":[]}})";
  EXPECT_TRUE(decode_negotiation_response(mut(text), nullptr));
}

TEST(HostError, TravelsAndIsSanitisedAgainOnReceipt) {
  ByteArray<1024> buffer;
  NegotiationResponse response;
  response.error.emplace();
  response.error->code = Errc::broker_unreachable;
  response.error->set_detail("tab\there " + std::string(300, 'z'));
  std::string text(text_of(*encode_negotiation_response(response, buffer)));
  const auto decoded = decode_negotiation_response(mut(text), nullptr);
  ASSERT_TRUE(decoded && decoded->error);
  EXPECT_EQ(decoded->error->code, Errc::broker_unreachable);
  EXPECT_EQ(decoded->error->detail(), "tab?here " + std::string(191, 'z'));

  std::string hostile =
      R"({"ext":{"error":{"code":"\u001b[31mpwn","phase":"negotiation","detail":"\u001b[2J\u00e9"}}})";
  const auto cleaned = decode_negotiation_response(mut(hostile), nullptr);
  ASSERT_TRUE(cleaned && cleaned->error);
  EXPECT_EQ(cleaned->error->code, Errc::refused) << "an unknown code is the general one";
  EXPECT_EQ(cleaned->error->detail(), "?[2J??");

  std::string internal = R"({"ext":{"error":{"code":"vmpck_lost","phase":"negotiation","detail":""}}})";
  EXPECT_EQ(decode_negotiation_response(mut(internal), nullptr)->error->code, Errc::refused)
      << "not a code that may travel";
}

TEST(Pairs, AreTheFourThatExist) {
  EXPECT_TRUE(check_pair(Binding::svsm_sha512, KeyType::p521));
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) {
    EXPECT_TRUE(check_pair(Binding::kbs_sha384, key));
  }
  for (const KeyType key : {KeyType::p256, KeyType::rsa3072}) {
    const Status refused = check_pair(Binding::svsm_sha512, key);
    EXPECT_EQ(refused.error().code, Errc::bad_config);
    for (const char* named : {"svsm-sha512 with P-521", "kbs-sha384 with P-521, P-256, RSA-3072"}) {
      EXPECT_NE(std::string_view(refused.error().where).find(named), std::string_view::npos) << named;
    }
  }
}

TEST(ResourcePath, AdmitsExactlyTheGrammar) {
  EXPECT_EQ(ResourcePath().text(), kDefaultResource);
  for (const char* good : {"a/b/c", "A-_9/x.y.z/_", "default/sample/test"}) {
    const auto path = ResourcePath::parse(good, "test");
    ASSERT_TRUE(path) << good;
    EXPECT_EQ(path->text(), good);
  }
  for (const char* bad : {"", "a", "a/b", "a/b/", "/b/c", "a//c", "a/b/c/d", ".a/b/c", "a/../c", "a/b/c%2f", "a b/c/d",
                          "a/b/\xc3\xa9", "a/b/c?d"}) {
    EXPECT_FALSE(ResourcePath::parse(bad, "test")) << bad;
  }
  EXPECT_TRUE(ResourcePath::parse("a/b/" + std::string(kMaxResourcePathBytes - 4, 'c'), "test"));
  EXPECT_EQ(ResourcePath::parse("a/b/" + std::string(kMaxResourcePathBytes - 3, 'c'), "test").error().code,
            Errc::too_large);
}

}  // namespace
}  // namespace attestbed::protocol
