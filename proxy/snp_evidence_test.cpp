// SPDX-License-Identifier: Apache-2.0
#include "proxy/snp_evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/snp/certificate_table.h"

namespace attestbed::proxy::kbs {
namespace {

using nlohmann::json;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kSignedOctets = 0x2a0, kSignatureNumbers = 144;

Octets file(const std::string& path) {
  std::ifstream in(std::string(ATTESTBED_SOURCE_DIR) + "/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}
Octets sample(const std::string& name) {
  return file("core/verify/testdata/reports/" + name + ".bin");
}

// The verifier's part, by the offsets of ATTESTATION_REPORT (SNP ABI 56860) and TCB_VERSION: octets again, from the
// structure alone.
class Reencoder {
 public:
  explicit Reencoder(const json& members) : members_(members), is_turin_(members.at("cpuid_fam_id") == 0x1a) {
    octets_.resize(kSignedOctets + kSignatureNumbers);
    for (const auto& [name, offset, size] : kNumbers) number(offset, size, members_.at(name));
    for (const auto& [name, offset, size] : kArrays) array(offset, size, members_.at(name));
    for (const auto& [name, offset] : kTcbs) tcb(offset, members_.at(name));
    firmware(0x1e8, members_.at("current"));
    firmware(0x1ec, members_.at("committed"));
    array(0x2a0, 72, members_.at("signature").at("r"));
    array(0x2a0 + 72, 72, members_.at("signature").at("s"));
  }
  const Octets& octets() const { return octets_; }

 private:
  struct Field {
    const char* name;
    std::size_t offset, size;
  };
  static constexpr Field kNumbers[] = {
      {"version", 0x00, 4},     {"guest_svn", 0x04, 4},          {"policy", 0x08, 8},
      {"vmpl", 0x30, 4},        {"sig_algo", 0x34, 4},           {"plat_info", 0x40, 8},
      {"key_info", 0x48, 4},    {"cpuid_fam_id", 0x188, 1},      {"cpuid_mod_id", 0x189, 1},
      {"cpuid_step", 0x18a, 1}, {"launch_mit_vector", 0x1f8, 8}, {"current_mit_vector", 0x200, 8}};
  static constexpr Field kArrays[] = {{"family_id", 0x10, 16},          {"image_id", 0x20, 16},
                                      {"report_data", 0x50, 64},        {"measurement", 0x90, 48},
                                      {"host_data", 0xc0, 32},          {"id_key_digest", 0xe0, 48},
                                      {"author_key_digest", 0x110, 48}, {"report_id", 0x140, 32},
                                      {"report_id_ma", 0x160, 32},      {"chip_id", 0x1a0, 64}};
  static constexpr std::pair<const char*, std::size_t> kTcbs[] = {
      {"current_tcb", 0x38}, {"reported_tcb", 0x180}, {"committed_tcb", 0x1e0}, {"launch_tcb", 0x1f0}};

  void number(std::size_t offset, std::size_t size, const json& value) {
    if (value.is_null()) return;
    const auto all = value.get<std::uint64_t>();
    if (size < 8 && all >> (8 * size) != 0) throw std::runtime_error("a number does not fit its field");
    for (std::size_t i = 0; i < size; ++i) octets_.at(offset + i) = static_cast<std::uint8_t>(all >> (8 * i));
  }
  void array(std::size_t offset, std::size_t size, const json& value) {
    if (value.size() != size) throw std::runtime_error("an array has another length than its field");
    for (std::size_t i = 0; i < size; ++i) number(offset + i, 1, value.at(i));
  }
  void tcb(std::size_t offset, const json& value) {
    if (is_turin_ == value.at("fmc").is_null()) throw std::runtime_error("fmc is there on Turin, and only there");
    if (is_turin_) number(offset, 1, value.at("fmc"));
    number(offset + (is_turin_ ? 1 : 0), 1, value.at("bootloader"));
    number(offset + (is_turin_ ? 2 : 1), 1, value.at("tee"));
    number(offset + (is_turin_ ? 3 : 6), 1, value.at("snp"));
    number(offset + 7, 1, value.at("microcode"));
  }
  void firmware(std::size_t offset, const json& value) {
    number(offset, 1, value.at("build"));
    number(offset + 1, 1, value.at("minor"));
    number(offset + 2, 1, value.at("major"));
  }

  const json& members_;
  const bool is_turin_;
  Octets octets_;
};

json structured(const Octets& report, const Octets& certs = {}) {
  const auto evidence = structured_evidence(report, certs);
  if (!evidence) throw std::runtime_error(error_name(evidence.error().code));
  return json::parse(evidence->dump());
}

class RealReports : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(SnpEvidence, RealReports,
                         testing::Values("v2-milan-debug", "v2-milan-idblock", "v2-milan-sevcrate", "v3-milan",
                                         "v3-milan-vlek", "v5-genoa", "v5-turin"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(RealReports, EverySignedOctetAndTheSignatureComeBack) {
  const Octets report = sample(GetParam());
  const json evidence = structured(report);
  const Octets again = Reencoder(evidence.at("attestation_report")).octets();
  EXPECT_TRUE(std::ranges::equal(again, std::span(report).first(again.size())));
  EXPECT_TRUE(evidence.at("cert_chain").is_null());
}

// Whatever a report holds, and not only what these hold, comes back or is refused.
class ChangedReports : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(SnpEvidence, ChangedReports, testing::Values("v3-milan", "v5-genoa", "v5-turin"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(ChangedReports, EachChangedOctetComesBackOrIsRefused) {
  std::size_t came_back = 0;
  const Octets report = sample(GetParam());
  for (std::size_t at = 0; at < kSignedOctets; ++at) {
    Octets changed = report;
    changed[at] ^= 0x05;
    const auto evidence = structured_evidence(changed, {});
    if (!evidence) continue;
    ++came_back;
    const json members = evidence->at("attestation_report");
    EXPECT_TRUE(
        std::ranges::equal(Reencoder(members).octets(), std::span(changed).first(kSignedOctets + kSignatureNumbers)))
        << "octet " << at;
  }
  EXPECT_GT(came_back, 400U);
}

TEST(SnpEvidence, IsWhatTrusteeItselfHasOfThisReport) {
  json expected = json::parse(std::ifstream(ATTESTBED_SOURCE_DIR "/proxy/testdata/trustee/evidence.json"));
  // That file is older than these members.
  expected["cert_chain"] = nullptr;
  expected["attestation_report"]["launch_mit_vector"] = nullptr;
  expected["attestation_report"]["current_mit_vector"] = nullptr;
  EXPECT_EQ(structured(sample("v2-milan-idblock")), expected);
}

struct Loss {
  const char* name;
  const char* report;
  std::size_t offset;
  std::uint8_t value;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const Loss& loss) {
  return out << loss.name;
}
class WhatTheStructureCannotHold : public testing::TestWithParam<Loss> {};
INSTANTIATE_TEST_SUITE_P(
    SnpEvidence, WhatTheStructureCannotHold,
    testing::Values(Loss{"version 1", "v3-milan", 0, 1, Errc::report_version},
                    Loss{"version 4", "v3-milan", 0, 4, Errc::report_version},
                    Loss{"version 6", "v5-genoa", 0, 6, Errc::report_version},
                    Loss{"version 259", "v3-milan", 1, 1, Errc::report_version},
                    Loss{"first of 0x4c", "v3-milan", 0x4c, 1, Errc::report_reserved},
                    Loss{"last of 0x4c", "v3-milan", 0x4f, 0x80, Errc::report_reserved},
                    Loss{"after the stepping", "v3-milan", 0x18b, 1, Errc::report_reserved},
                    Loss{"before CHIP_ID", "v5-turin", 0x19f, 1, Errc::report_reserved},
                    Loss{"current firmware's fourth octet", "v3-milan", 0x1eb, 1, Errc::report_reserved},
                    Loss{"committed firmware's fourth octet", "v3-milan", 0x1ef, 1, Errc::report_reserved},
                    Loss{"mitigation vector in version 3", "v3-milan", 0x1f8, 1, Errc::report_reserved},
                    Loss{"last of it", "v3-milan", 0x207, 1, Errc::report_reserved},
                    Loss{"after the vectors", "v5-genoa", 0x208, 1, Errc::report_reserved},
                    Loss{"before the signature", "v5-genoa", 0x29f, 1, Errc::report_reserved},
                    Loss{"CPUID in version 2", "v2-milan-debug", 0x188, 0x19, Errc::report_reserved},
                    Loss{"TCB octet 2 of Milan", "v3-milan", 0x38 + 2, 1, Errc::report_reserved},
                    Loss{"TCB octet 5 of Genoa", "v5-genoa", 0x180 + 5, 1, Errc::report_reserved},
                    Loss{"TCB octet 4 of Turin", "v5-turin", 0x1e0 + 4, 1, Errc::report_reserved},
                    Loss{"TCB octet 6 of Turin", "v5-turin", 0x1f0 + 6, 1, Errc::report_reserved},
                    Loss{"unknown family", "v5-genoa", 0x188, 0x1b, Errc::product_unknown}));

TEST_P(WhatTheStructureCannotHold, IsRefused) {
  Octets report = sample(GetParam().report);
  report[GetParam().offset] = GetParam().value;
  const auto evidence = structured_evidence(report, {});
  ASSERT_FALSE(evidence);
  EXPECT_STREQ(error_name(evidence.error().code), error_name(GetParam().code)) << evidence.error().where;
}

TEST(SnpEvidence, IsMadeOfWholeReportsAlone) {
  Octets report = sample("v3-milan");
  report.pop_back();
  EXPECT_EQ(structured_evidence(report, {}).error().code, Errc::bad_length);
  report.resize(1185);
  EXPECT_EQ(structured_evidence(report, {}).error().code, Errc::bad_length);
}

// ---- Certificates.

Octets table(const std::vector<snp::CertificateEntry>& entries) {
  Octets octets(16 * 1024);
  const auto written = snp::encode_certificate_table(entries, octets);
  if (!written) throw std::runtime_error("no table");
  octets.resize(written->size());
  return octets;
}

TEST(SnpEvidence, CertificatesOfAChainGoAlongAndNothingElse) {
  const Octets vcek = file("core/verify/testdata/certs/v5-genoa.vcek.der");
  const Octets ask = {0x30, 0x01}, crl = {0x30, 0x02}, other = {0x03};
  const json chain =
      structured(
          sample("v5-genoa"),
          table({{snp::kVcekGuid, vcek}, {snp::kCrlGuid, crl}, {snp::kAskGuid, ask}, {snp::kPlatformInfoGuid, other}}))
          .at("cert_chain");
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain.at(0).at("cert_type"), "VCEK");
  EXPECT_EQ(chain.at(0).at("data").get<Octets>(), vcek);
  EXPECT_EQ(chain.at(1), (json{{"cert_type", "ASK"}, {"data", {0x30, 0x01}}}));
}

TEST(SnpEvidence, TableThatIsNoneOrHoldsNoneMakesNoChain) {
  const Octets report = sample("v5-genoa");
  const Octets crl = {0x30, 0x02};
  EXPECT_TRUE(structured(report, {1, 2, 3}).at("cert_chain").is_null());
  EXPECT_TRUE(structured(report, table({})).at("cert_chain").is_null());
  EXPECT_TRUE(structured(report, table({{snp::kCrlGuid, crl}})).at("cert_chain").is_null());
}

TEST(SnpEvidence, RawOctetsTravelAsStandardBase64) {
  // RFC 4648 section 10, and octets that the two alphabets write differently.
  EXPECT_EQ(raw_evidence(bytes_of("foobar"), {}).dump(), R"({"certs-buf":null,"snp-report":"Zm9vYmFy"})");
  EXPECT_EQ(raw_evidence(bytes_of("fooba"), Octets{0xfb, 0xff, 0x00}).dump(),
            R"({"certs-buf":"+/8A","snp-report":"Zm9vYmE="})");
}

}  // namespace
}  // namespace attestbed::proxy::kbs
