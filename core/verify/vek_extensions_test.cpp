// SPDX-License-Identifier: Apache-2.0
#include "core/verify/vek_extensions.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/verify/test_ca.h"

namespace attestbed::verify {
namespace {

using test::amd_oid;
using test::Octets;
using test::Spec;

struct Attack {
  const char* name;
  snp::Product product;
  std::function<void(Spec&)> change;
  const char* field;
};

std::function<void(Spec&)> put(const char* suffix, Octets octets) {
  return [=](Spec& spec) { spec.extension(amd_oid(suffix)).octets = octets; };
}
std::function<void(Spec&)> add(const char* suffix, Octets octets) {
  return [=](Spec& spec) { spec.extensions.push_back({amd_oid(suffix), octets}); };
}
std::function<void(Spec&)> drop(const char* suffix) {
  return [=](Spec& spec) { spec.drop(amd_oid(suffix)); };
}

constexpr auto kMilan = snp::Product::milan;
constexpr auto kTurin = snp::Product::turin;

const Attack kAttacks[] = {
    {"NegativeInteger", kMilan, put("3.8", {0x02, 0x01, 0xdb}), "VEK.ucodeSPL"},
    {"IntegerNotMinimal", kMilan, put("3.1", {0x02, 0x02, 0x00, 0x04}), "VEK.blSPL"},
    {"IntegerOf256", kMilan, put("3.3", {0x02, 0x02, 0x01, 0x00}), "VEK.snpSPL"},
    {"IntegerWithTrailingOctet", kMilan, put("3.2", {0x02, 0x01, 0x00, 0x00}), "VEK.teeSPL"},
    {"IntegerWithLongLength", kMilan, put("3.2", {0x02, 0x81, 0x01, 0x00}), "VEK.teeSPL"},
    {"IntegerWithoutValue", kMilan, put("3.2", {0x02, 0x00}), "VEK.teeSPL"},
    {"OctetStringForInteger", kMilan, put("3.2", {0x04, 0x01, 0x00}), "VEK.teeSPL"},
    {"EmptyExtension", kMilan, put("3.2", {}), "VEK.teeSPL"},
    {"LevelAbove127", kMilan, put("3.1", {0x02, 0x02, 0x00, 0x80}), "VEK.blSPL"},
    {"FmcAbove127", kTurin, put("3.9", {0x02, 0x02, 0x00, 0xff}), "VEK.fmcSPL"},
    {"UnusedLevelNotZero", kMilan, put("3.6", {0x02, 0x01, 0x01}), "VEK.spl6"},
    {"MissingUcode", kMilan, drop("3.8"), "VEK.ucodeSPL"},
    {"MissingSpl4", kMilan, drop("3.4"), "VEK.spl4"},
    {"MissingProductName", kMilan, drop("2"), "VEK.productName"},
    {"MissingStructVersion", kMilan, drop("1"), "VEK.structVersion"},
    {"StructVersionOfTurin", kMilan, put("1", {0x02, 0x01, 0x01}), "VEK.structVersion"},
    {"RepeatedLevel", kMilan, add("3.8", {0x02, 0x02, 0x00, 0xdb}), "VEK.ucodeSPL"},
    {"UnknownAmdExtension", kMilan, add("3.10", {0x02, 0x01, 0x00}), "VEK.1.3.6.1.4.1.3704.1.3.10"},
    {"ForeignExtension", kMilan,
     [](Spec& spec) {
       spec.extensions.push_back({"2.5.29.14", {0x04, 0x01, 0x00}});
     },
     "VEK.2.5.29.14"},
    {"KeyIdentifierTwice", kMilan,
     [](Spec& spec) {
       spec.extensions.push_back({"2.5.29.35", {0x30, 0x00}});
       spec.extensions.push_back({"2.5.29.35", {0x30, 0x00}});
     },
     "VEK.2.5.29.35"},
    {"CriticalLevel", kMilan, [](Spec& spec) { spec.extension(amd_oid("3.1")).critical = true; },
     "VEK.1.3.6.1.4.1.3704.1.3.1"},
    {"FmcOnMilan", kMilan, add("3.9", {0x02, 0x01, 0x00}), "VEK.fmcSPL"},
    {"NoFmcOnTurin", kTurin, drop("3.9"), "VEK.fmcSPL"},
    {"Spl4OnTurin", kTurin, add("3.4", {0x02, 0x01, 0x00}), "VEK.spl4"},
    {"ProductNameUtf8", kMilan, put("2", {0x0c, 5, 'M', 'i', 'l', 'a', 'n'}), "VEK.productName"},
    {"ProductNameUnknown", kMilan, put("2", {0x16, 6, 'N', 'a', 'p', 'l', 'e', 's'}), "VEK.productName"},
    {"ProductNameWithTail", kMilan, put("2", {0x16, 6, 'M', 'i', 'l', 'a', 'n', '2'}), "VEK.productName"},
    {"ProductNameBadStepping", kMilan, put("2", {0x16, 8, 'M', 'i', 'l', 'a', 'n', '-', 'B', 'x'}), "VEK.productName"},
    {"ProductNameLengthLies", kMilan, put("2", {0x16, 4, 'M', 'i', 'l', 'a', 'n'}), "VEK.productName"},
    {"ProductNameWithNul", kMilan, put("2", {0x16, 6, 'M', 'i', 'l', 'a', 'n', 0}), "VEK.productName"},
    {"HardwareIdTooShort", kMilan, put("4", Octets(63, 1)), "VEK.hwID"},
    {"HardwareIdTooLong", kMilan, put("4", Octets(65, 1)), "VEK.hwID"},
    {"HardwareIdWrappedWrongly", kMilan, put("4", Octets(66, 4)), "VEK.hwID"},
    {"HardwareIdOfMilanOnTurin", kTurin, put("4", Octets(64, 1)), "VEK.hwID"},
    {"NoHardwareId", kMilan, drop("4"), "VEK.hwID"},
    {"CspIdOnVcek", kMilan, add("5", {0x16, 1, 'x'}), "VEK.CSP_ID"},
};

TEST(VekExtensions, RefuseOneWrongThing) {
  for (const Attack& attack : kAttacks) {
    SCOPED_TRACE(attack.name);
    Spec spec = test::vcek_spec(attack.product);
    attack.change(spec);
    const Certificate certificate = test::make(spec);
    ASSERT_FALSE(certificate.vek_extensions());
    EXPECT_EQ(certificate.vek_extensions().error().code, Errc::vek_extension);
    EXPECT_EQ(certificate.vek_extensions().error().field, attack.field) << certificate.vek_extensions().error().text();
  }
}

TEST(VekExtensions, OfAVlekDemandCspIdAndNoHardwareId) {
  Spec without = test::vlek_spec(kMilan);
  without.drop(amd_oid("5"));
  EXPECT_EQ(test::make(without).vek_extensions().error().field, "VEK.CSP_ID");
  Spec with_hardware_id = test::vlek_spec(kMilan);
  with_hardware_id.extensions.push_back({amd_oid("4"), Octets(64, 1)});
  EXPECT_EQ(test::make(with_hardware_id).vek_extensions().error().field, "VEK.hwID");
}

TEST(VekExtensions, AcceptWhatAmdMayWrite) {
  Spec stepping = test::vcek_spec(kMilan);
  stepping.extension(amd_oid("2")).octets = {0x16, 8, 'M', 'i', 'l', 'a', 'n', '-', 'B', '0'};
  EXPECT_EQ(test::make(stepping).vek_extensions()->product_name, "Milan-B0");

  for (const snp::Product product : {kMilan, kTurin}) {
    Spec wrapped = test::vcek_spec(product);
    Octets& octets = wrapped.extension(amd_oid("4")).octets;
    const Octets raw = octets;
    octets.insert(octets.begin(), {0x04, static_cast<std::uint8_t>(raw.size())});
    EXPECT_EQ(test::make(wrapped).vek_extensions()->hardware_id, raw);
  }

  // A raw hardware id may begin like an OCTET STRING; its length says that it is none.
  Spec disguised = test::vcek_spec(kMilan);
  Octets looks_wrapped(64, 0x55);
  looks_wrapped[0] = 0x04;
  looks_wrapped[1] = 0x3e;
  disguised.extension(amd_oid("4")).octets = looks_wrapped;
  EXPECT_EQ(test::make(disguised).vek_extensions()->hardware_id, looks_wrapped);

  Spec key_identifier = test::vcek_spec(kMilan);
  key_identifier.extensions.push_back({"2.5.29.35", {0x30, 0x00}});
  EXPECT_TRUE(test::make(key_identifier).vek_extensions());
}

TEST(VekExtensions, OfAnotherCertificateAreNamedSo) {
  EXPECT_EQ(test::make(test::ask_spec("Milan")).vek_extensions().error().code, Errc::vek_name);
}

}  // namespace
}  // namespace attestbed::verify
