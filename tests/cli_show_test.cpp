// SPDX-License-Identifier: Apache-2.0
// `attestbed show` as people run it: every kind of file, its text and its JSON.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/snp/certificate_table.h"
#include "core/snp/guest_message.h"
#include "core/verify/test_ca.h"
#include "tests/command_line.h"

namespace attestbed {
namespace {

using nlohmann::json;
using tests::attestbed;
using tests::contains;
using tests::kSamples;
using tests::kSource;
using tests::kThen;
using tests::Octets;
using tests::Ran;
using tests::report;
using tests::Scratch;

json shown(const std::string& arguments) {
  const Ran ran = attestbed("show " + arguments + " --json");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return json::parse(ran.out, nullptr, false);
}

TEST(AttestbedShow, NamesTheFieldsOfAReport) {
  const Ran ran = attestbed("show " + report("v2-milan-debug") + " --json");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  // From the samples' README and its report: firmware 1.49.3, DEBUG policy 0xb0000.
  const json shown = json::parse(ran.out);
  EXPECT_EQ(shown["version"], 2);
  EXPECT_EQ(shown["policy"]["value"], "0x00000000000b0000");
  EXPECT_TRUE(contains(shown["policy"]["means"], "DEBUG ALLOWED"));
  EXPECT_EQ(shown["current_firmware"], "1.49 build 3");
  EXPECT_FALSE(shown.contains("cpuid"));

  const json turin = json::parse(attestbed("show " + report("v5-turin") + " --json").out);
  EXPECT_EQ(turin["product"], "Turin");
  EXPECT_EQ(turin["reported_tcb"]["value"], "0001000200000047");
  EXPECT_EQ(turin["reported_tcb"]["boot_loader"], 1);
  EXPECT_EQ(turin["reported_tcb"]["snp"], 2);
  EXPECT_EQ(turin["platform_info"]["value"], "0x0000000000000067");

  const Ran text = attestbed("show " + report("v3-milan"));
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_TRUE(contains(text.out, "microcode=219")) << text.out;
}

TEST(AttestbedShow, ShowsCertificates) {
  const json vlek = json::parse(attestbed("show " + kSamples + "certs/v3-milan-vlek.vlek.der --json").out);
  EXPECT_EQ(vlek["kind"], "VLEK");
  EXPECT_EQ(vlek["not_after"], "2025-12-10T22:14:21Z");
  EXPECT_EQ(vlek["tcb"]["microcode"], 0xd9);
  EXPECT_EQ(vlek["csp_id"], "CN=cc-us-east-2.amazonaws.com");
  const json chain = json::parse(attestbed("show " + kSamples + "ca/ask_ark_turin_vcek.pem --json").out);
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[1]["kind"], "ARK");
}

Octets page_of(snp::MsgType type, Bytes payload, const snp::Vmpck& key) {
  snp::Page page;
  EXPECT_TRUE(
      snp::seal_guest_message(key, {.type = type, .version = 1, .vmpck = 2, .seqno = 77, .payload = payload}, page));
  return Octets(page.begin(), page.end());
}

TEST(AttestbedShow, ShowsAGuestMessagesHeaderAndWithTheKeyItsPayload) {
  const Scratch scratch;
  const Octets key_octets(32, 0x5a);
  const snp::Vmpck key{std::span<const std::uint8_t, 32>(key_octets)};
  snp::MsgReportRsp response{};
  response.report_size = snp::kReportBytes;
  const Octets octets = verify::test::read_testdata("reports/v5-genoa.bin");
  std::ranges::copy(octets, reinterpret_cast<std::uint8_t*>(&response.report));
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&response), sizeof response);
  const std::string page = scratch.put("page.bin", page_of(snp::MsgType::report_rsp, payload, key));

  const json header = json::parse(attestbed("show " + page + " --json").out, nullptr, false);
  ASSERT_TRUE(header.is_object());
  EXPECT_EQ(header["kind"], "guest message");
  EXPECT_EQ(header["type"]["means"], "MSG_REPORT_RSP");
  EXPECT_EQ(header["seqno"], 77);
  EXPECT_EQ(header["vmpck"], 2);
  EXPECT_EQ(header["payload_size"], 1216);

  const std::string vmpck = " --vmpck " + scratch.put("vmpck.bin", key_octets);
  const json opened = json::parse(attestbed("show " + page + vmpck + " --json").out, nullptr, false);
  ASSERT_EQ(opened.size(), 2u);
  EXPECT_EQ(opened[0]["payload"], verify::hex_text(payload));
  EXPECT_EQ(opened[1]["kind"], "report");
  EXPECT_EQ(opened[1]["product"], "Genoa");

  const Ran other_key = attestbed("show " + page + " --vmpck " + scratch.put("other.bin", Octets(32, 0x5b)));
  EXPECT_EQ(other_key.exit_code, 1);
  EXPECT_TRUE(contains(other_key.err, "firmware_reply")) << other_key.err;
  EXPECT_EQ(attestbed("show " + page + " --vmpck " + scratch.put("short.bin", Octets(31, 1))).exit_code, 2);
  EXPECT_EQ(attestbed("show " + report("v5-genoa") + vmpck).exit_code, 2);
}

TEST(AttestbedShow, NamesTheStatusOfAResponse) {
  const Scratch scratch;
  const Octets key_octets(32, 0x5a);
  const snp::Vmpck key{std::span<const std::uint8_t, 32>(key_octets)};
  snp::MsgReportRsp response{};
  response.status = 0x27;
  const Bytes payload(reinterpret_cast<const std::uint8_t*>(&response), sizeof response);
  const std::string page = scratch.put("page.bin", page_of(snp::MsgType::report_rsp, payload, key));
  const json all = shown(page + " --vmpck " + scratch.put("vmpck.bin", key_octets));
  EXPECT_EQ(all["status"], (json{{"value", 0x27}, {"means", "INVALID_KEY (0x27)"}}));
}

TEST(AttestbedShow, NeverShowsADerivedKey) {
  const Scratch scratch;
  const Octets key_octets(32, 0x5a);
  const snp::Vmpck key{std::span<const std::uint8_t, 32>(key_octets)};
  Octets payload(64, 0);
  std::fill(payload.begin() + 32, payload.end(), std::uint8_t{0xd7});
  const std::string page = scratch.put("page.bin", page_of(snp::MsgType::key_rsp, payload, key));
  const Ran ran = attestbed("show " + page + " --vmpck " + scratch.put("vmpck.bin", key_octets));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "MSG_KEY_RSP") && contains(ran.out, "not shown")) << ran.out;
  EXPECT_FALSE(contains(ran.out, "d7d7"));
}

TEST(AttestbedShow, TakesAFileForWhatItIsTold) {
  const std::string certificate = kSamples + "certs/v5-genoa.vcek.der";
  EXPECT_EQ(attestbed("show " + certificate + " --as certificate").exit_code, 0);
  const Ran as_report = attestbed("show " + certificate + " --as report");
  EXPECT_EQ(as_report.exit_code, 1);
  EXPECT_TRUE(contains(as_report.err, "bad_length")) << as_report.err;
  const Ran as_message = attestbed("show " + report("v5-genoa") + " --as guest-message");
  EXPECT_EQ(as_message.exit_code, 1);
  EXPECT_TRUE(contains(as_message.err, "4096 octets")) << as_message.err;
  EXPECT_EQ(attestbed("show " + certificate + " --as nonsense").exit_code, 2);
}

/// A row of a certificate table, octet by octet, so that it can be wrong.
void put_row(Octets& table, const snp::Guid& guid, std::size_t offset, std::size_t length) {
  table.insert(table.end(), guid.begin(), guid.end());
  for (const std::size_t value : {offset, length}) {
    for (int shift = 0; shift < 32; shift += 8) table.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

Octets table_of(std::initializer_list<std::pair<snp::Guid, std::pair<std::size_t, std::size_t>>> rows, Octets data) {
  Octets table;
  for (const auto& [guid, place] : rows) put_row(table, guid, place.first, place.second);
  table.insert(table.end(), 24, 0);
  table.insert(table.end(), data.begin(), data.end());
  return table;
}

TEST(AttestbedShow, ShowsACertificateTableAndWhatItHolds) {
  const Scratch scratch;
  const Octets vcek = verify::test::read_testdata("certs/v5-genoa.vcek.der");
  Octets data = vcek;
  data.insert(data.end(), 7, 0x5a);
  data.insert(data.end(), 100, 0);  // padding
  const std::size_t end = 72 + vcek.size();
  const std::string file =
      scratch.put("certs.bin", table_of({{snp::kVcekGuid, {72, vcek.size()}}, {snp::kAskGuid, {end, 7}}}, data));
  const json all = shown(file);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["kind"], "certificate table");
  EXPECT_EQ(all[0]["octets"], end + 7);
  EXPECT_EQ(all[0]["padding"], 100);
  const json& rows = all[0]["entries"];
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], (json{{"guid", "63da758d-e664-4564-adc5-f4b93be8accd"},
                           {"kind", "VCEK"},
                           {"offset", 72},
                           {"length", vcek.size()}}));
  EXPECT_EQ(rows[1]["guid"], "4ab7b379-bbac-4fe4-a02f-05aef327c782");
  EXPECT_TRUE(contains(rows[1]["error"], "certificate_malformed")) << rows[1];
  EXPECT_EQ(all[1]["kind"], "VCEK");
  EXPECT_EQ(all[1]["product_name"], "Genoa");

  const Ran text = attestbed("show " + file);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_TRUE(contains(text.out, "guid=63da758d-e664-4564-adc5-f4b93be8accd  kind=VCEK  offset=72  length="))
      << text.out;
}

TEST(AttestbedVerify, TakesTheCertificateTableThatAHostGives) {
  const Scratch scratch;
  const Octets vcek = verify::test::read_testdata("certs/v5-genoa.vcek.der");
  const Octets other = verify::test::read_testdata("certs/v3-milan.vcek.der");
  const std::string evidence = report("v5-genoa") + kThen + " --certs ";
  const auto judged = [&](const std::string& name, const Octets& table) {
    return attestbed("verify " + evidence + scratch.put(name, table));
  };
  const Ran right = judged("right.bin", table_of({{snp::kVcekGuid, {48, vcek.size()}}}, vcek));
  EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
  EXPECT_TRUE(contains(right.out, "right.bin, its VCEK")) << right.out;
  const Ran wrong = judged("wrong.bin", table_of({{snp::kVcekGuid, {48, other.size()}}}, other));
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_TRUE(contains(wrong.err, "product_mismatch")) << wrong.err;
  const Ran damaged = judged("damaged.bin", table_of({{snp::kVcekGuid, {48, 7}}}, vcek));
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_TRUE(contains(damaged.err, "certificate_malformed: ") && contains(damaged.err, "damaged.bin, its VCEK"))
      << damaged.err;
  const Ran outside = judged("outside.bin", table_of({{snp::kVcekGuid, {48, vcek.size() + 1}}}, vcek));
  EXPECT_EQ(outside.exit_code, 1);
  EXPECT_TRUE(contains(outside.err, "outside.bin: certificate table, entry outside the table")) << outside.err;
}

TEST(AttestbedShow, RefusesAMalformedCertificateTable) {
  const Scratch scratch;
  const Octets data(32, 0x30);
  const struct {
    const char* name;
    Octets octets;
    const char* says;
  } cases[] = {
      {"overlapping", table_of({{snp::kVcekGuid, {72, 8}}, {snp::kAskGuid, {79, 8}}}, data), "overlapping entries"},
      {"out of range", table_of({{snp::kVcekGuid, {48, 33}}}, data), "outside the table"},
      {"inside the rows", table_of({{snp::kVcekGuid, {47, 8}}}, data), "inside the rows"},
      {"repeated", table_of({{snp::kVcekGuid, {72, 8}}, {snp::kVcekGuid, {80, 8}}}, data), "repeated GUID"},
      {"empty entry", table_of({{snp::kVcekGuid, {48, 0}}}, data), "without octets"},
      {"no end", Octets(snp::kVcekGuid.begin(), snp::kVcekGuid.end()), "truncated"},
  };
  for (const auto& [name, octets, says] : cases) {
    SCOPED_TRACE(name);
    const Ran ran = attestbed("show " + scratch.put("certs.bin", octets));
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(contains(ran.err, "certificate table") && contains(ran.err, says)) << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  }
}

// What sev-snp-measure has after the first and the last page.
TEST(AttestbedShow, ShowsTheStepsOfALaunchDigest) {
  const std::string pages = kSource + "/sim/testdata/reference-pages.txt";
  const json launch = shown(pages);
  EXPECT_EQ(launch["kind"], "launch digest");
  EXPECT_EQ(launch["pages"], 8);
  const json& steps = launch["steps"];
  ASSERT_EQ(steps.size(), 8U);
  EXPECT_EQ(steps[0]["type"], "normal");
  EXPECT_EQ(steps[0]["gpa"], "0x0000ffc00000");
  EXPECT_TRUE(contains(steps[0]["digest"], "dd2077f729b141fc30a417c61bc7bd7b"));
  EXPECT_EQ(launch["measurement"],
            "cc8236f527dbb518d948e7de0ed0665679970cc320bf0e40f2188e7add456ae346c4d8ecc8404ef50eec0ee7b97ffebc");
  EXPECT_EQ(launch["measurement"], steps[7]["digest"]);
  EXPECT_TRUE(contains(attestbed("show " + pages).out, "type=normal  gpa=0x0000ffc00000")) << "text";

  const Scratch scratch;
  const Ran list = attestbed("show " + scratch.put_text("bad.txt", "normal 0x1001\n"));
  EXPECT_EQ(list.exit_code, 1);
  EXPECT_TRUE(contains(list.err, "firmware_refused") && contains(list.err, "line 1 at GPA 0x1001")) << list.err;
  const Ran file = attestbed("show " + scratch.put_text("bad.igvm", "IGVM and no more"));
  EXPECT_EQ(file.exit_code, 2);
  EXPECT_TRUE(contains(file.err, "image_malformed") && contains(file.err, "IGVM fixed header")) << file.err;
}

}  // namespace
}  // namespace attestbed
