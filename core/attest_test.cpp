// SPDX-License-Identifier: Apache-2.0
#include "core/attest.h"

#include "core/attest_fixture.h"

namespace attestbed {
namespace {

TEST_F(AttestTest, ReleasesTheSecretAndSaysItIsNotAuthenticated) {
  const auto released = run();
  ASSERT_TRUE(released) << posix::describe(released.error());
  EXPECT_EQ(text_of(released->secret), "the secret");
  EXPECT_FALSE(released->authenticated);
  EXPECT_EQ(workspace_->trace.reached, AttestStep::opened);
  EXPECT_FALSE(host_.received[0].contains("ext")) << "the default frame is the stock one";
  // The report bound exactly what was sent afterwards, by an independent path: SHA-512 over the JSON's own octets.
  ASSERT_EQ(reports_.asked.size(), 1U);
  EXPECT_EQ(posix::to_hex(reports_.asked[0]), posix::to_hex(*workspace_->trace.report_data));
}

TEST_F(AttestTest, LooksIntoTheWorkspaceForTheSecret) {
  const auto released = run();
  ASSERT_TRUE(released);
  const auto* begin = workspace_->receive.data();
  EXPECT_TRUE(released->secret.data() >= begin && released->secret.data() < begin + workspace_->receive.size());
}

TEST_F(AttestTest, EveryAttemptHasItsOwnKey) {
  ASSERT_TRUE(run());
  FakeHost second;
  ASSERT_TRUE(attest({second, reports_, entropy_, clock_}, config_, *workspace_));
  EXPECT_NE(host_.received[1]["key"], second.received[1]["key"]);
}

TEST_F(AttestTest, StatesItsTermsAndRequiresTheEcho) {
  config_.terms.resource = *protocol::ResourcePath::parse("vm/luks/key", "test");
  ASSERT_TRUE(run());
  EXPECT_EQ(host_.received[0]["ext"]["resource"], "vm/luks/key");

  FakeHost stock;
  stock.change_negotiation = [](json& m) { m.erase("ext"); };
  const auto refused = attest({stock, reports_, entropy_, clock_}, config_, *workspace_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::ext_not_honoured);
  EXPECT_EQ(reports_.asked.size(), 1U) << "no report for terms that the host did not accept";
}

TEST_F(AttestTest, ARefusalCarriesTheHostsCodeAndDetail) {
  host_.change_answer = [](json& m) {
    m = {{"success", false},
         {"ext",
          {{"error", {{"code", "attestation_refused"}, {"phase", "attestation"}, {"detail", "ask the broker"}}}}}};
  };
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::attestation_refused);
  EXPECT_EQ(error_row(refused.error().code).guest_exit, 1);
  ASSERT_TRUE(workspace_->trace.host_error);
  EXPECT_EQ(workspace_->trace.host_error->detail(), "ask the broker");
}

struct Hostile {
  const char* name;
  std::function<void(FakeHost&, BindingProvider&)> break_it;
  Errc code;
  int exit;
  std::size_t reports;  // how many reports the firmware was asked for
};
class AttestRefuses : public AttestTest, public testing::WithParamInterface<Hostile> {};
TEST_P(AttestRefuses, OneThingWrong) {
  GetParam().break_it(host_, reports_);
  const auto released = run();
  ASSERT_FALSE(released);
  EXPECT_STREQ(error_name(released.error().code), error_name(GetParam().code));
  EXPECT_EQ(error_row(released.error().code).guest_exit, GetParam().exit);
  EXPECT_EQ(reports_.asked.size(), GetParam().reports);
}
void flip(json& text) {
  std::string t = text;
  t[0] = t[0] == 'A' ? 'B' : 'A';
  text = t;
}
INSTANTIATE_TEST_SUITE_P(
    Table, AttestRefuses,
    testing::Values(
        Hostile{"HostChoosesParams",
                [](auto& h, auto&) { h.change_negotiation = [](json& m) { m["params"] = {"Challenge"}; }; },
                Errc::host_chosen_params, 5, 0},
        Hostile{"HostChoosesLongChallenge", [](auto& h, auto&) { h.challenge = std::string(132 + 32, 'k'); },
                Errc::host_chosen_challenge, 5, 0},
        Hostile{"SecretFlipped", [](auto& h, auto&) { h.change_answer = [](json& m) { flip(m["secret"]); }; },
                Errc::tag_failed, 5, 1},
        Hostile{"IvFlipped", [](auto& h, auto&) { h.change_answer = [](json& m) { flip(m["decryption"]["iv"]); }; },
                Errc::tag_failed, 5, 1},
        Hostile{"WrappedFlipped",
                [](auto& h, auto&) { h.change_answer = [](json& m) { flip(m["decryption"]["wrapped_cek"]); }; },
                Errc::unwrap_failed, 5, 1},
        Hostile{"EpkSwapped",
                [](auto& h, auto&) {
                  h.change_answer = [](json& m) {
                    std::swap(m["decryption"]["epk"]["x"], m["decryption"]["epk"]["y"]);
                  };
                },
                Errc::jwe_epk_mismatch, 5, 1},
        Hostile{"EmptySecret", [](auto& h, auto&) { h.secret.clear(); }, Errc::empty_secret, 5, 1},
        Hostile{"BareRefusal", [](auto& h, auto&) { h.change_answer = [](json& m) {
                                                      m = {{"success", false}};
                                                    }; },
                Errc::refused, 1, 1},
        Hostile{"FallbackOffered",
                [](auto& h, auto&) {
                  h.change_answer = [](json& m) {
                    m["ext"]["error"] = {{"code", "refused"}, {"phase", "attestation"}, {"detail", ""}};
                  };
                },
                Errc::contradiction, 5, 1},
        Hostile{
            "BrokerDown",
            [](auto& h, auto&) {
              h.change_negotiation = [](json& m) {
                m = {{"ext", {{"error", {{"code", "broker_unreachable"}, {"phase", "negotiation"}, {"detail", ""}}}}}};
              };
            },
            Errc::broker_unreachable, 3, 0},
        Hostile{"LineSilent", [](auto& h, auto&) { h.silence_before = Errc::deadline; }, Errc::deadline, 3, 0},
        Hostile{"LineClosed", [](auto& h, auto&) { h.silence_before = Errc::closed; }, Errc::closed, 3, 0},
        Hostile{"FirmwareBusy",
                [](auto&, auto& r) {
                  r.fail = Error{Errc::firmware_busy, "test"};
                },
                Errc::firmware_busy, 4, 0},
        Hostile{"ReportOfOtherData",
                [](auto&, auto& r) { r.change = [](auto& report) { report.report_data[63] ^= 1; }; },
                Errc::firmware_reply, 4, 1}),
    [](const auto& row) { return row.param.name; });

// Header attacks: whoever knows the guest's public key can seal, so what the header says must be judged by itself.
struct Header {
  const char* name;
  std::function<void(json&)> change;
  Errc code;
};
class AttestHeader : public AttestTest, public testing::WithParamInterface<Header> {};
TEST_P(AttestHeader, IsRefused) {
  host_.change_answer = [](json& m) {
    std::string aad = m["decryption"]["aad"];
    const MutBytes span(reinterpret_cast<std::uint8_t*>(aad.data()), aad.size());
    const MutBytes inner = *base64_decode(Base64::standard, span, span, "test");
    json header = json::parse(text_of(*base64_decode(Base64::url, inner, inner, "test")));
    GetParam().change(header);
    const std::string again = base64(Base64::url, bytes_of(header.dump()));
    m["decryption"]["aad"] = base64(Base64::standard, bytes_of(again));
  };
  const auto released = run();
  ASSERT_FALSE(released);
  EXPECT_STREQ(error_name(released.error().code), error_name(GetParam().code));
}
INSTANTIATE_TEST_SUITE_P(
    Table, AttestHeader,
    testing::Values(Header{"AlgRsa", [](json& h) { h["alg"] = "RSA-OAEP-256"; }, Errc::jwe_header},
                    Header{"AlgDirect", [](json& h) { h["alg"] = "ECDH-ES"; }, Errc::jwe_header},
                    Header{"AlgMissing", [](json& h) { h.erase("alg"); }, Errc::jwe_header},
                    Header{"EncCbc", [](json& h) { h["enc"] = "A256CBC-HS512"; }, Errc::jwe_header},
                    Header{"EncMissing", [](json& h) { h.erase("enc"); }, Errc::jwe_header},
                    Header{"EpkMissing", [](json& h) { h.erase("epk"); }, Errc::jwe_header},
                    Header{"EpkOtherCurve", [](json& h) { h["epk"]["crv"] = "P-256"; }, Errc::jwe_header},
                    Header{"EpkOtherKty", [](json& h) { h["epk"]["kty"] = "OKP"; }, Errc::jwe_header},
                    Header{"EpkOtherPoint", [](json& h) { h["epk"]["x"] = std::string(88, 'A'); },
                           Errc::jwe_epk_mismatch},
                    Header{"Apu", [](json& h) { h["apu"] = "QQ"; }, Errc::jwe_header},
                    Header{"Apv", [](json& h) { h["apv"] = "QQ"; }, Errc::jwe_header},
                    Header{"Crit", [](json& h) { h["crit"] = {"exp"}; }, Errc::jwe_header},
                    Header{"Zip", [](json& h) { h["zip"] = "DEF"; }, Errc::jwe_header},
                    Header{"UnknownMember", [](json& h) { h["kid"] = "1"; }, Errc::tag_failed},
                    Header{"NotAnObject", [](json& h) { h = json::array(); }, Errc::json_type}),
    [](const auto& row) { return row.param.name; });

TEST_F(AttestTest, AnEmptySecretOpensWhereTheConfigurationSaysSo) {
  host_.secret.clear();
  config_.allow_empty_secret = true;
  const auto released = run();
  ASSERT_TRUE(released);
  EXPECT_TRUE(released->secret.empty());
}

TEST_F(AttestTest, RefusesConfigurationsThatDoNotExist) {
  config_.terms.key = protocol::KeyType::rsa3072;  // with svsm-sha512
  EXPECT_EQ(run().error().code, Errc::bad_config);
  config_ = {.secret_auth = SecretAuth::none};
  config_.budget = std::chrono::nanoseconds::zero();
  EXPECT_EQ(run().error().code, Errc::bad_config);
  EXPECT_TRUE(host_.received.empty()) << "nothing left the guest";
}

TEST_F(AttestTest, WhoseSecretItIsMustBeDecidedByName) {
  config_ = {};
  const auto refused = run();
  EXPECT_EQ(refused.error().code, Errc::bad_config);
  EXPECT_STREQ(refused.error().where, "secret_auth: choose none by name");
  EXPECT_TRUE(host_.received.empty()) << "nothing left the guest";
}

TEST_F(AttestTest, TheWorkspaceIsWiped) {
  alignas(Workspace) static std::uint8_t place[sizeof(Workspace)];
  auto* workspace = new (place) Workspace();
  const auto released = attest({host_, reports_, entropy_, clock_}, config_, *workspace);
  ASSERT_TRUE(released);
  workspace->~Workspace();
  for (const std::string& trace : {std::string("the secret")}) {
    EXPECT_EQ(std::string_view(reinterpret_cast<char*>(place), sizeof place).find(trace), std::string_view::npos);
  }
}

}  // namespace
}  // namespace attestbed
