// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/posix/describe.h"
#include "sim/derived_key.h"
#include "sim/firmware_fixture.h"

namespace attestbed::sim {
namespace {

using Key = ByteArray<32>;

/// Situation is everything that a derived key can depend on; a test changes one thing about it.
struct Situation {
  Machine machine = Machine::of(authority());
  GuestContext guest;
  snp::MsgKeyReq2 request{};
  std::uint8_t version = 2;
  std::uint8_t vmpck = 0;
  explicit Situation(Seed launch = 1) : guest(launched(machine, launch)) {
    guest.guest_svn = 9;
    guest.launch_mit_vector = 0xff;
    guest.image_id = {1};
    guest.family_id = {2};
    guest.id_key_digest = {3};
    request.base.guest_svn = 7;
    request.base.tcb_version = {4, 0, 0, 0, 0, 0, 0x17, 0xda};
    request.launch_mit_vector = 5;
  }
};
using Change = void (*)(Situation&);

/// Outcome is STATUS, which rule it is about, and the key.
struct Outcome {
  std::uint32_t status = ~0U;
  std::string why;
  Key key{};
};
Outcome derive(Situation situation) {
  const Bytes payload = octets(situation.request).first(situation.version == 1 ? 32 : 40);
  MessagingGuest guest(situation.machine, std::move(situation.guest));
  const auto answer = guest.ask({.vmpck = situation.vmpck,
                                 .type = snp::MsgType::key_req,
                                 .version = situation.version,
                                 .key_of = situation.vmpck},
                                payload);
  Outcome outcome;
  snp::MsgKeyRsp rsp{};
  EXPECT_EQ(answer.size(), sizeof rsp);
  if (answer.size() != sizeof rsp) return outcome;
  std::memcpy(&rsp, answer.data(), sizeof rsp);
  EXPECT_TRUE(all_zero(rsp.reserved));
  outcome = {rsp.status, guest.firmware.last_call().why, rsp.key};
  EXPECT_EQ(all_zero(rsp.key), rsp.status != 0);
  return outcome;
}
Outcome derive(Change change, std::uint64_t fields = 0) {
  Situation situation;
  situation.request.base.guest_field_select = fields;
  change(situation);
  return derive(std::move(situation));
}
constexpr Change kNothing = [](Situation&) {};

struct Field {
  const char* name;
  std::uint64_t bit;
  Change change;
};
constexpr Field kFields[] = {
    {"GUEST_POLICY", 1 << 0, [](Situation& s) { s.guest.policy ^= 1ULL << 20; }},
    {"IMAGE_ID", 1 << 1, [](Situation& s) { s.guest.image_id[15] ^= 1; }},
    {"FAMILY_ID", 1 << 2, [](Situation& s) { s.guest.family_id[15] ^= 1; }},
    {"MEASUREMENT", 1 << 3, [](Situation& s) { s.guest.measurement[47] ^= 1; }},
    {"GUEST_SVN", 1 << 4, [](Situation& s) { s.request.base.guest_svn = 6; }},
    {"TCB_VERSION", 1 << 5, [](Situation& s) { s.request.base.tcb_version[7] ^= 1; }},
    {"LAUNCH_MIT_VECTOR", 1 << 6, [](Situation& s) { s.request.launch_mit_vector = 4; }},
};

TEST(DerivedKeys, AreTheSameForTheSameGuestOnTheSameChip) {
  const Outcome once = derive(kNothing, 0x7f);
  EXPECT_EQ(once.status, 0U);
  // VMPCKs, REPORT_ID and VMRK are those of another launch.
  const auto relaunch = [](Situation& s) { s.guest = Situation(2).guest; };
  EXPECT_EQ(derive(relaunch, 0x7f).key, once.key);
  const auto loaded_chip = [](Situation& s) {
    s.machine = Machine::of(
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan)));
  };
  EXPECT_EQ(derive(loaded_chip, 0x7f).key, once.key);
}

TEST(DerivedKeys, DependOnEverySelectedFieldAndOnNoOther) {
  for (const Field& field : kFields) {
    for (std::uint64_t selected = 0; selected < 0x80; ++selected) {
      const bool same = derive(kNothing, selected).key == derive(field.change, selected).key;
      EXPECT_EQ(same, (selected & field.bit) == 0) << field.name << " with fields " << selected;
    }
  }
}

TEST(DerivedKeys, DependOnTheSelectionItself) {
  // With every field of the guest and of the request zero, only the selector differs.
  const auto blank = [](Situation& s) {
    s.guest.policy = 0;
    s.guest.image_id = {};
    s.guest.family_id = {};
    s.guest.measurement = {};
    const std::uint64_t selected = s.request.base.guest_field_select;
    s.request = {};
    s.request.base.guest_field_select = selected;
  };
  std::set<Key> keys;
  for (std::uint64_t selected = 0; selected < 0x80; ++selected) keys.insert(derive(blank, selected).key);
  EXPECT_EQ(keys.size(), 0x80U);
}

TEST(DerivedKeys, AlwaysDependOnRootVmplHostAndEndorsement) {
  const Change kChanges[] = {
      kNothing,
      [](Situation& s) { s.request.base.key_select = 1; },  // VMRK
      [](Situation& s) { s.machine.vlek_loaded = true; },   // KEY_SEL 0 is the VLEK then
      [](Situation& s) { s.request.base.vmpl = 1; },
      [](Situation& s) { s.guest.host_data[31] ^= 1; },
      [](Situation& s) { s.guest.id_key_digest = {4}; },
      [](Situation& s) { s.guest.id_key_digest = {}; },
      [](Situation& s) {  // the same digest, but the author's
        s.guest.author_key_enabled = true;
        s.guest.author_key_digest = s.guest.id_key_digest;
      },
      [](Situation& s) { s.machine = Machine::of(authority(snp::Product::genoa)); },
  };
  std::set<Key> keys;
  for (const Change change : kChanges) {
    const Outcome outcome = derive(change);
    EXPECT_EQ(outcome.status, 0U) << outcome.why;
    keys.insert(outcome.key);
  }
  EXPECT_EQ(keys.size(), std::size(kChanges));
}

TEST(DerivedKeys, OfTheVmrkDieWithTheGuest) {
  const auto with_vmrk = [](Seed seed) {
    Situation situation(seed);
    situation.request.base.key_select = 1;
    return derive(std::move(situation)).key;
  };
  EXPECT_EQ(with_vmrk(1), with_vmrk(1));
  EXPECT_NE(with_vmrk(1), with_vmrk(2));
}

TEST(DerivedKeys, OfTheVcekDoNotDependOnALoadedVlek) {
  const auto vcek = [](Situation& s) { s.request.base.key_select = snp::key_select(0, 1); };
  const auto vcek_beside_vlek = [](Situation& s) {
    s.request.base.key_select = snp::key_select(0, 1);
    s.machine.vlek_loaded = true;
  };
  EXPECT_EQ(derive(vcek).key, derive(vcek_beside_vlek).key);
  EXPECT_EQ(derive(vcek).key, derive(kNothing).key) << "KEY_SEL 0 is resolved, not mixed in";
}

TEST(DerivedKeys, OfBothVersionsAgree) {
  const auto version_1 = [](Situation& s) { s.version = 1; };
  EXPECT_EQ(derive(version_1, 0x3f).key, derive(kNothing, 0x3f).key);
}

// Computed with Python's hmac from the words of NIST SP 800-108: HMAC(root, be32(1) | label | 00 | context |
// be32(256)).
TEST(DeriveKey, IsKbkdfInCounterMode) {
  Secret<32> root;
  for (std::size_t i = 0; i < 32; ++i) root.expose_mut()[i] = static_cast<std::uint8_t>(i);
  DerivationInput input{};
  input.root_key_select = 1;
  input.key = 1;
  input.guest_field_select = 0x7f;
  input.vmpl = 3;
  input.endorsed_by = 2;
  input.host_data.fill(0x11);
  input.key_digest.fill(0x22);
  input.policy = 0x30000;
  input.image_id.fill(0x33);
  input.family_id.fill(0x44);
  input.measurement.fill(0x55);
  input.guest_svn = 7;
  input.tcb_version = {4, 0, 0, 0, 0, 0, 0x18, 0xdb};
  input.launch_mit_vector = 5;
  const auto key = derive_key(root, input);
  ASSERT_TRUE(key);
  EXPECT_EQ(posix::to_hex(key->expose()), "1ff124fc313750d46d8e0b5b3a02c6fe3c44100d6069820eb1faf0072eb7e25a");
}

struct Rule {
  const char* name;
  std::uint32_t status;
  const char* why;
  Change break_it;
};
// In the order in which answer_key judges (56860 MSG_KEY_REQ).
constexpr Rule kRules[] = {
    {"Reserved", 0x16, "MSG_KEY_REQ reserved bits", [](Situation& s) { s.request.base.reserved = 1; }},
    {"ChipKeyMasked", 0x27, "MSG_KEY_REQ.ROOT_KEY_SELECT: the chip key is masked",
     [](Situation& s) { s.machine.mask_chip_key = true; }},
    {"KeySel", 0x27, "MSG_KEY_REQ.KEY_SEL", [](Situation& s) { s.request.base.key_select = snp::key_select(0, 2); }},
    {"Vmpl", 0x16, "MSG_KEY_REQ.VMPL", [](Situation& s) { s.vmpck = 1; }},
    {"Tcb", 0x16, "MSG_KEY_REQ.TCB_VERSION", [](Situation& s) { s.request.base.tcb_version[7] = 0xdc; }},
    {"GuestSvn", 0x16, "MSG_KEY_REQ.GUEST_SVN", [](Situation& s) { s.request.base.guest_svn = 10; }},
    {"MitVector", 0x16, "MSG_KEY_REQ.LAUNCH_MIT_VECTOR", [](Situation& s) { s.request.launch_mit_vector = 0x100; }},
};

TEST(KeyRequests, TwoBrokenRulesAreAnsweredByTheEarlier) {
  for (const Rule& first : kRules) {
    for (const Rule* second = &first; second != std::end(kRules); ++second) {
      Situation situation;
      situation.request.base.guest_field_select = 0x7f;
      first.break_it(situation);
      second->break_it(situation);
      const Outcome outcome = derive(std::move(situation));
      EXPECT_EQ(outcome.status, first.status) << first.name << ", " << second->name;
      EXPECT_EQ(outcome.why, first.why) << first.name << ", " << second->name;
    }
  }
}

TEST(KeyRequests, RulesOfFieldsApplyToSelectedFieldsOnly) {
  for (const Rule& rule : kRules) {
    const std::string name = rule.name;
    if (name != "Tcb" && name != "GuestSvn" && name != "MitVector") continue;
    EXPECT_EQ(derive(rule.break_it).status, 0U) << name;
    EXPECT_EQ(derive(rule.break_it).key, derive(kNothing).key) << name;
  }
}

struct Case {
  const char* name;
  std::uint32_t status;
  std::uint64_t fields;
  Change change;
};
class KeyRequest : public testing::TestWithParam<Case> {};
TEST_P(KeyRequest, IsJudged) {
  const Outcome outcome = derive(GetParam().change, GetParam().fields);
  EXPECT_EQ(outcome.status, GetParam().status) << outcome.why;
}
INSTANTIATE_TEST_SUITE_P(
    Rules, KeyRequest,
    testing::Values(Case{"AllFields", 0, 0x7f, kNothing}, Case{"FieldBit7", 0x16, 0x80, kNothing},
                    Case{"FieldBit63", 0x16, 1ULL << 63, kNothing},
                    Case{"Version1HasNoMitVector", 0x16, 0x40, [](Situation& s) { s.version = 1; }},
                    Case{"KeySelectBit3", 0x16, 0, [](Situation& s) { s.request.base.key_select = 8; }},
                    Case{"KeySelectBit31", 0x16, 0, [](Situation& s) { s.request.base.key_select = 1U << 31; }},
                    Case{"KeySel3", 0x27, 0, [](Situation& s) { s.request.base.key_select = 6; }},
                    Case{"VlekLoaded", 0, 0,
                         [](Situation& s) {
                           s.request.base.key_select = 4;
                           s.machine.vlek_loaded = true;
                         }},
                    Case{"VcekDisabled", 0x27, 0, [](Situation& s) { s.guest.vcek_disabled = true; }},
                    Case{"MaskedVmrk", 0, 0,
                         [](Situation& s) {
                           s.request.base.key_select = 1;
                           s.machine.mask_chip_key = true;
                         }},
                    Case{"MaskedVlek", 0x27, 0,
                         [](Situation& s) {
                           s.machine.vlek_loaded = true;
                           s.machine.mask_chip_key = true;
                         }},
                    Case{"Vmpl3", 0, 0, [](Situation& s) { s.request.base.vmpl = 3; }},
                    Case{"Vmpl4", 0x16, 0, [](Situation& s) { s.request.base.vmpl = 4; }},
                    Case{"VmplOfTheKey", 0, 0, [](Situation& s) { s.vmpck = 2, s.request.base.vmpl = 2; }},
                    Case{"VmplAboveTheKey", 0x16, 0, [](Situation& s) { s.vmpck = 2, s.request.base.vmpl = 1; }},
                    Case{"CommittedTcb", 0, 0x20,
                         [](Situation& s) { s.request.base.tcb_version = {4, 0, 0, 0, 0, 0, 0x18, 0xdb}; }},
                    Case{"BootLoaderAbove", 0x16, 0x20, [](Situation& s) { s.request.base.tcb_version[0] = 5; }},
                    Case{"TeeAbove", 0x16, 0x20, [](Situation& s) { s.request.base.tcb_version[1] = 1; }},
                    Case{"SnpAbove", 0x16, 0x20, [](Situation& s) { s.request.base.tcb_version[6] = 0x19; }},
                    Case{"ReservedTcbOctet", 0x16, 0x20, [](Situation& s) { s.request.base.tcb_version[3] = 1; }},
                    Case{"GuestSvnOfTheIdBlock", 0, 0x10, [](Situation& s) { s.request.base.guest_svn = 9; }},
                    Case{"WholeMitVector", 0, 0x40, [](Situation& s) { s.request.launch_mit_vector = 0xff; }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(FirmwareTest, TakesBothLengthsOfAKeyRequestOfVersion2) {
  const std::vector<std::uint8_t> plain(40), padded(48), other(56), version1(32);
  const Message message{.type = snp::MsgType::key_req, .version = 2};
  const auto first = ask(message, plain);
  EXPECT_EQ(ask({.seqno = 3, .type = snp::MsgType::key_req, .version = 2}, padded), first);
  auto dirty = padded;
  dirty[47] = 1;
  EXPECT_EQ(ask({.seqno = 5, .type = snp::MsgType::key_req, .version = 2}, dirty)[0], 0x16);
  for (const auto* wrong : {&other, &version1}) {
    EXPECT_EQ(call(sealed({.seqno = 7, .type = snp::MsgType::key_req, .version = 2}, *wrong)), 0x16U);
  }
  EXPECT_EQ(call(sealed({.seqno = 7, .type = snp::MsgType::key_req, .version = 1}, plain)), 0x16U);
}

}  // namespace
}  // namespace attestbed::sim
