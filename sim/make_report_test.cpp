// SPDX-License-Identifier: Apache-2.0
#include "sim/make_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace attestbed::sim {
namespace {

using snp::Product;

Machine machine(Product product, std::uint32_t version = 3) {
  static const std::shared_ptr<const CertificateAuthority> kAuthorities[] = {
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(Product::milan)),
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(Product::genoa)),
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(Product::turin))};
  Machine out = Machine::of(kAuthorities[static_cast<std::size_t>(product)]);
  out.report_version = version;
  return out;
}

GuestContext guest() {
  GuestContext out;
  out.policy = kDefaultPolicy;
  out.guest_svn = 7;
  out.family_id.fill(0xf1);
  out.image_id.fill(0x1d);
  out.id_key_digest.fill(0x1c);
  out.author_key_digest.fill(0xac);
  out.author_key_enabled = true;
  out.launch_mit_vector = 5;
  out.launch_tcb = {.microcode = 3};
  return out;
}

std::uint8_t octet_at(const snp::RawReport& report, std::size_t offset) {
  return octets_of(report)[offset];
}

// Offsets and values are those of ATTESTATION_REPORT and of AMD's samples of each product.
TEST(MakeReport, SaysWhatEachVersionHasAPlaceFor) {
  struct Model {
    Product product;
    std::uint8_t family, model, step;
  };
  for (const Model& each : {Model{Product::milan, 0x19, 0x01, 0x01}, Model{Product::genoa, 0x19, 0x11, 0x01},
                            Model{Product::turin, 0x1a, 0x02, 0x01}}) {
    for (const std::uint32_t version : {2U, 3U, 5U}) {
      Machine host = machine(each.product, version);
      host.current_mit_vector = 9;
      host.platform_info = 0xff;
      const auto report = make_report(host, guest(), {.vmpl = 2, .report_data = {1}});
      ASSERT_TRUE(report) << version;
      EXPECT_EQ(octet_at(*report, 0x000), version);
      EXPECT_EQ(octet_at(*report, 0x030), 2);
      EXPECT_EQ(octet_at(*report, 0x040), version == 2 ? 0x1f : version == 3 ? 0x3f : 0xff);
      EXPECT_EQ(octet_at(*report, 0x188), version == 2 ? 0 : each.family);
      EXPECT_EQ(octet_at(*report, 0x189), version == 2 ? 0 : each.model);
      EXPECT_EQ(octet_at(*report, 0x18a), version == 2 ? 0 : each.step);
      EXPECT_EQ(octet_at(*report, 0x1f8), version == 5 ? 5 : 0);
      EXPECT_EQ(octet_at(*report, 0x200), version == 5 ? 9 : 0);
    }
  }
}

TEST(MakeReport, CarriesTheIdBlock) {
  const auto report = make_report(machine(Product::milan), guest(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(octet_at(*report, 0x004), 7);
  EXPECT_EQ(octet_at(*report, 0x010), 0xf1);
  EXPECT_EQ(octet_at(*report, 0x020), 0x1d);
  EXPECT_EQ(octet_at(*report, 0x0e0), 0x1c);
  EXPECT_EQ(octet_at(*report, 0x110), 0xac);
  EXPECT_EQ(octet_at(*report, 0x048), 1);
}

TEST(MakeReport, KeepsFourTcbsApart) {
  Machine host = machine(Product::turin, 5);
  host.committed_tcb.fmc = 1;
  host.current_tcb.fmc = 2;
  host.current_tcb.microcode = 0x50;
  const auto report = make_report(host, guest(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reported_tcb, (snp::TcbVersion{0, 1, 0, 2, 0, 0, 0, 0x47}));
  EXPECT_EQ(report->committed_tcb, (snp::TcbVersion{1, 1, 0, 2, 0, 0, 0, 0x47}));
  EXPECT_EQ(report->current_tcb, (snp::TcbVersion{2, 1, 0, 2, 0, 0, 0, 0x50}));
  EXPECT_EQ(report->launch_tcb, (snp::TcbVersion{0, 0, 0, 0, 0, 0, 0, 3}));
}

TEST(MakeReport, ShowsWhichFirmwareRunsAndWhichIsCommitted) {
  Machine host = machine(Product::genoa);
  host.committed_version = {.build = 43, .minor = 55, .major = 1, .reserved = 0};
  host.current_version = {.build = 2, .minor = 0, .major = 2, .reserved = 0};
  const auto report = make_report(host, guest(), {});
  ASSERT_TRUE(report);
  constexpr std::uint8_t kBuildMinorMajorTwice[] = {2, 0, 2, 0, 43, 55, 1, 0};
  EXPECT_TRUE(std::ranges::equal(octets_of(*report).subspan(0x1e8, 8), kBuildMinorMajorTwice));
}

TEST(MakeReport, MasksTheChipIdAlone) {
  Machine host = machine(Product::milan);
  const auto shown = make_report(host, guest(), {});
  host.mask_chip_id = true;
  const auto masked = make_report(host, guest(), {});
  ASSERT_TRUE(shown && masked);
  EXPECT_EQ(masked->chip_id, snp::ChipId{});
  std::size_t differences = 0;
  for (std::size_t i = 0; i < 0x2a0; ++i) differences += octet_at(*shown, i) != octet_at(*masked, i) ? 1 : 0;
  EXPECT_EQ(differences,
            static_cast<std::size_t>(std::ranges::count_if(shown->chip_id, [](auto o) { return o != 0; })));
}

TEST(MakeReport, NamesTheKeyThatSigned) {
  Machine host = machine(Product::genoa);
  host.vlek_loaded = true;
  EXPECT_EQ(make_report(host, guest(), {.key = snp::SigningKey::vlek})->key_flags, 0b00101U);
  host.mask_chip_key = true;
  EXPECT_EQ(make_report(host, guest(), {.key = snp::SigningKey::vlek})->key_flags, 0b00111U);
  const auto unsigned_report = make_report(host, guest(), {.key = snp::SigningKey::none});
  ASSERT_TRUE(unsigned_report);
  EXPECT_EQ(unsigned_report->key_flags, 0b11111U);
  EXPECT_TRUE(std::ranges::all_of(octets_of(*unsigned_report).subspan(0x2a0), [](auto octet) { return octet == 0; }));
}

TEST(MakeReport, RefusesAKeyThatMayNotSignAndTcbsOutOfOrder) {
  struct Case {
    const char* name;
    std::function<void(Machine&, GuestContext&, ReportRequest&)> change;
    Errc expected;
  };
  const Case kCases[] = {
      {"no VLEK", [](Machine&, GuestContext&, ReportRequest& r) { r.key = snp::SigningKey::vlek; }, Errc::bad_config},
      {"masked key", [](Machine& m, GuestContext&, ReportRequest&) { m.mask_chip_key = true; }, Errc::bad_config},
      {"VCEK_DIS", [](Machine&, GuestContext& g, ReportRequest&) { g.vcek_disabled = true; }, Errc::bad_config},
      {"version", [](Machine& m, GuestContext&, ReportRequest&) { m.report_version = 4; }, Errc::bad_config},
      {"committed", [](Machine& m, GuestContext&, ReportRequest&) { m.committed_tcb.snp = 0; }, Errc::tcb_order},
      {"current", [](Machine& m, GuestContext&, ReportRequest&) { m.current_tcb.microcode = 0; }, Errc::tcb_order},
      {"build", [](Machine& m, GuestContext&, ReportRequest&) { --m.current_version.build; }, Errc::bad_config},
      {"minor", [](Machine& m, GuestContext&, ReportRequest&) { ++m.committed_version.minor; }, Errc::bad_config},
      {"major", [](Machine& m, GuestContext&, ReportRequest&) { ++m.committed_version.major; }, Errc::bad_config},
  };
  for (const Case& each : kCases) {
    Machine host = machine(Product::milan);
    GuestContext context = guest();
    ReportRequest request;
    each.change(host, context, request);
    const auto report = make_report(host, context, request);
    ASSERT_FALSE(report) << each.name;
    EXPECT_STREQ(error_name(report.error().code), error_name(each.expected)) << each.name;
  }
}

}  // namespace
}  // namespace attestbed::sim
