// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/report_structure.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "mock-kbs/evidence.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

std::string file(const std::string& path) {
  std::ifstream in(std::string(ATTESTBED_SOURCE_DIR) + "/" + path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}
std::string report_file(const std::string& name) {
  return posix::to_hex(bytes_of(file("core/verify/testdata/reports/" + name + ".bin")));
}
json structures() {
  return json::parse(file("mock-kbs/testdata/structures.json"));
}

// By way of its text, as the broker gets it: what a test writes as int is no number_unsigned of nlohmann's yet.
Checked<Evidence> decode(const json& primary) {
  const json read = json::parse(primary.dump());
  const Members members = TRY(Members::of(read, "primary_evidence"));
  return decode_evidence(members);
}
Checked<Evidence> decode_report(const json& report) {
  return decode({{"attestation_report", report}});
}

TEST(ReportStructure, OfTrusteesOwnTestIsTheReportThatTrusteeKeepsBesideIt) {
  const auto decoded = decode(json::parse(file("proxy/testdata/trustee/evidence.json")));
  ASSERT_TRUE(decoded) << decoded.error().text();
  EXPECT_EQ(decoded->kind, EvidenceKind::structure);
  EXPECT_TRUE(decoded->chain.empty());
  EXPECT_EQ(posix::to_hex(decoded->report), report_file("v2-milan-idblock"));
}

TEST(ReportStructure, IsPutBackOctetForOctetForEveryVersionAndProduct) {
  const json all = structures();
  ASSERT_EQ(all.size(), 4U);
  for (const auto& [name, structure] : all.items()) {
    SCOPED_TRACE(name);
    const auto decoded = decode_report(structure);
    ASSERT_TRUE(decoded) << decoded.error().text();
    EXPECT_EQ(posix::to_hex(decoded->report), report_file(name));
  }
}

TEST(ReportStructure, IgnoresMembersThatItDoesNotKnow) {
  json structure = structures().at("v5-genoa");
  structure["later"] = {1, 2, 3};
  EXPECT_TRUE(decode_report(structure));
}

struct BadStructure {
  const char* name;
  const char* report;
  Errc code;
  const char* field;
  std::function<void(json&)> change;
};

TEST(ReportStructure, RefusesEveryChangeOfForm) {
  const BadStructure cases[] = {
      {"version missing", "v3-milan", Errc::json_missing, "version", [](json& r) { r.erase("version"); }},
      {"version 1", "v3-milan", Errc::report_version, "version", [](json& r) { r["version"] = 1; }},
      {"version 4", "v3-milan", Errc::report_version, "version", [](json& r) { r["version"] = 4; }},
      {"version 6", "v5-turin", Errc::report_version, "version", [](json& r) { r["version"] = 6; }},
      {"number as text", "v3-milan", Errc::bad_value, "policy", [](json& r) { r["policy"] = "196608"; }},
      {"number negative", "v3-milan", Errc::bad_value, "guest_svn", [](json& r) { r["guest_svn"] = -1; }},
      {"number with a fraction", "v3-milan", Errc::bad_value, "vmpl", [](json& r) { r["vmpl"] = 0.5; }},
      {"number of 33 bits", "v3-milan", Errc::bad_value, "key_info", [](json& r) { r["key_info"] = 0x100000000; }},
      {"number null", "v3-milan", Errc::bad_value, "plat_info", [](json& r) { r["plat_info"] = nullptr; }},
      {"list short", "v3-milan", Errc::bad_length, "report_data", [](json& r) { r["report_data"].erase(0); }},
      {"list long", "v3-milan", Errc::bad_length, "measurement", [](json& r) { r["measurement"].push_back(0); }},
      {"list as hex", "v3-milan", Errc::json_type, "chip_id", [](json& r) { r["chip_id"] = "00"; }},
      {"octet 256", "v3-milan", Errc::bad_value, "host_data[31]", [](json& r) { r["host_data"][31] = 256; }},
      {"octet nested", "v3-milan", Errc::bad_value, "host_data[0]", [](json& r) { r["host_data"][0] = json::array(); }},
      {"no CPU in version 3", "v3-milan", Errc::bad_value, "cpuid_fam_id",
       [](json& r) { r["cpuid_fam_id"] = nullptr; }},
      {"unknown CPU", "v3-milan", Errc::product_unknown, nullptr, [](json& r) { r["cpuid_fam_id"] = 6; }},
      {"mitigations in version 3", "v3-milan", Errc::bad_value, "launch_mit_vector",
       [](json& r) { r["launch_mit_vector"] = 0; }},
      {"no mitigations in version 5", "v5-genoa", Errc::bad_value, "current_mit_vector",
       [](json& r) { r["current_mit_vector"] = nullptr; }},
      {"fmc on Genoa", "v5-genoa", Errc::bad_value, "reported_tcb.fmc", [](json& r) { r["reported_tcb"]["fmc"] = 0; }},
      {"no fmc on Turin", "v5-turin", Errc::bad_value, "current_tcb.fmc",
       [](json& r) { r["current_tcb"]["fmc"] = nullptr; }},
      {"TCB component missing", "v5-turin", Errc::json_missing, "launch_tcb.snp",
       [](json& r) { r["launch_tcb"].erase("snp"); }},
      {"TCB as number", "v5-turin", Errc::json_type, "committed_tcb", [](json& r) { r["committed_tcb"] = 7; }},
      {"firmware version without build", "v3-milan", Errc::json_missing, "current.build",
       [](json& r) { r["current"].erase("build"); }},
      {"no signature", "v3-milan", Errc::json_missing, "signature", [](json& r) { r.erase("signature"); }},
      {"r of 48 octets", "v3-milan", Errc::bad_length, "signature.r",
       [](json& r) { r["signature"]["r"] = std::vector<int>(48); }},
  };
  const json all = structures();
  for (const BadStructure& bad : cases) {
    SCOPED_TRACE(bad.name);
    json report = all.at(bad.report);
    bad.change(report);
    const auto decoded = decode_report(report);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(error_name(decoded.error().code), std::string(error_name(bad.code))) << decoded.error().text();
    if (bad.field == nullptr) continue;
    EXPECT_EQ(decoded.error().field, std::string("primary_evidence.attestation_report.") + bad.field);
  }
}

json numbers(const std::string& octets) {
  json list = json::array();
  for (const std::uint8_t octet : bytes_of(octets)) list.push_back(octet);
  return list;
}

TEST(CertChain, TakesWhatEndorsesAndNeverARoot) {
  const std::string vcek = file("core/verify/testdata/certs/v5-turin.vcek.der");
  const json evidence = {{"attestation_report", structures().at("v5-turin")},
                         {"cert_chain",
                          {{{"cert_type", "ARK"}, {"data", {1, 2, 3}}},
                           {{"cert_type", "VCEK"}, {"data", numbers(vcek)}},
                           {{"cert_type", "CRL"}, {"data", json::array()}},
                           {{"cert_type", "Empty"}, {"data", json::array()}},
                           {{"cert_type", {{"OTHER", "00000000-0000-0000-0000-000000000000"}}}, {"data", {1}}}}}};
  const auto decoded = decode(evidence);
  ASSERT_TRUE(decoded) << decoded.error().text();
  ASSERT_EQ(decoded->chain.size(), 1U);
  EXPECT_EQ(decoded->chain.front().kind(), verify::Certificate::Kind::vcek);
  EXPECT_EQ(posix::to_hex(decoded->chain.front().der()), posix::to_hex(bytes_of(vcek)));
}

TEST(CertChain, RefusesWhatIsNone) {
  const auto code_of = [](const json& chain) {
    const auto decoded = decode({{"attestation_report", structures().at("v3-milan")}, {"cert_chain", chain}});
    return decoded ? std::string("none") : std::string(error_name(decoded.error().code));
  };
  EXPECT_EQ(code_of(nullptr), "none");
  EXPECT_EQ(code_of(json::array()), "none");
  EXPECT_EQ(code_of("MII"), "json_type");
  EXPECT_EQ(code_of({1}), "json_type");
  EXPECT_EQ(code_of({{{"cert_type", "VCEK"}}}), "json_missing");
  EXPECT_EQ(code_of({{{"data", json::array()}}}), "json_missing");
  EXPECT_EQ(code_of({{{"cert_type", "vcek"}, {"data", json::array()}}}), "evidence_shape");
  EXPECT_EQ(code_of({{{"cert_type", "VCEK"}, {"data", "MII"}}}), "json_type");
  EXPECT_EQ(code_of({{{"cert_type", "VCEK"}, {"data", {48, 300}}}}), "bad_value");
  EXPECT_EQ(code_of({{{"cert_type", "ASK"}, {"data", {48, 0}}}}), "certificate_malformed");
  EXPECT_EQ(code_of({{{"cert_type", "VLEK"}, {"data", std::vector<int>(8193)}}}), "too_large");
  const json one = {{"cert_type", "Empty"}, {"data", json::array()}};
  EXPECT_EQ(code_of(std::vector<json>(kMaxChainCertificates, one)), "none");
  EXPECT_EQ(code_of(std::vector<json>(kMaxChainCertificates + 1, one)), "too_large");
}

TEST(Evidence, HasExactlyOneShape) {
  const auto code_of = [](const json& primary) { return std::string(error_name(decode(primary).error().code)); };
  EXPECT_EQ(code_of(json::object()), "evidence_shape");
  EXPECT_EQ(code_of({{"report_data", ""}}), "evidence_shape");
  EXPECT_EQ(code_of({{"svn", "1"}, {"snp-report", ""}}), "evidence_shape");
  EXPECT_EQ(code_of({{"attestation_report", structures().at("v3-milan")}, {"snp-report", ""}}), "evidence_shape");
}

TEST(Evidence, OfSampleIsAnSvnAndADigest) {
  const std::string digest(64, 'A');
  const auto good = decode({{"svn", "1"}, {"report_data", digest}});
  ASSERT_TRUE(good) << good.error().text();
  EXPECT_EQ(good->kind, EvidenceKind::sample);
  EXPECT_EQ(good->sample.svn, "1");
  const auto code_of = [](const json& primary) { return std::string(error_name(decode(primary).error().code)); };
  EXPECT_EQ(code_of({{"svn", 1}, {"report_data", digest}}), "json_type");
  EXPECT_EQ(code_of({{"svn", ""}, {"report_data", digest}}), "bad_value");
  EXPECT_EQ(code_of({{"svn", "1\n"}, {"report_data", digest}}), "bad_value");
  EXPECT_EQ(code_of({{"svn", std::string(65, '1')}, {"report_data", digest}}), "bad_value");
  EXPECT_EQ(code_of({{"svn", "1"}}), "json_missing");
  EXPECT_EQ(code_of({{"svn", "1"}, {"report_data", digest + "AAAA"}}), "bad_length");
  EXPECT_EQ(code_of({{"svn", "1"}, {"report_data", digest.substr(1) + "="}}), "bad_length");
}

}  // namespace
}  // namespace attestbed::kbs
