// SPDX-License-Identifier: Apache-2.0
#include "proxy/host_certificates.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/snp/certificate_table.h"

namespace attestbed::proxy {
namespace {

namespace fs = std::filesystem;
using Octets = std::vector<std::uint8_t>;

Octets file(const std::string& path) {
  std::ifstream in(ATTESTBED_SOURCE_DIR "/core/verify/testdata/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Certificates : public testing::Test {
 protected:
  Certificates() {
    std::string path = "/tmp/attestbed-certs-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = path;
  }
  ~Certificates() override { fs::remove_all(directory_); }

  void put(const std::string& name, const Octets& octets) {
    fs::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
  }
  void put(const std::string& name, const std::string& text) { put(name, Octets(text.begin(), text.end())); }
  Result<HostCertificates> load() { return HostCertificates::load(directory_.string(), at_); }

  fs::path directory_;
  std::string at_;
};

// A table as a guest would bring it, taken apart by core.
Octets entry(Bytes table, const snp::Guid& guid) {
  const auto parsed = snp::CertificateTable::parse(table);
  if (!parsed) return {};
  const Bytes found = parsed->find(guid);
  return {found.begin(), found.end()};
}

const Octets kAsk = {0x30, 0x01, 0x11}, kArk = {0x30, 0x01, 0x22}, kAsvk = {0x30, 0x01, 0x33};

TEST_F(Certificates, GoWithTheKeyThatSignedTheReport) {
  const Octets vcek = file("certs/v3-milan.vcek.der"), vlek = file("certs/v3-milan-vlek.vlek.der");
  put("vcek.der", vcek);
  put("ask.crt", kAsk);
  put("ark.cer", kArk);
  put("vlek.der", vlek);
  put("asvk.der", kAsvk);
  const auto loaded = load();
  ASSERT_TRUE(loaded) << at_ << ": " << loaded.error().where;

  const Bytes by_vcek = loaded->table_for(file("reports/v3-milan.bin"));
  EXPECT_EQ(entry(by_vcek, snp::kVcekGuid), vcek);
  EXPECT_EQ(entry(by_vcek, snp::kAskGuid), kAsk);
  EXPECT_EQ(entry(by_vcek, snp::kArkGuid), kArk);
  EXPECT_EQ(entry(by_vcek, snp::kVlekGuid), Octets());

  const Bytes by_vlek = loaded->table_for(file("reports/v3-milan-vlek.bin"));
  EXPECT_EQ(entry(by_vlek, snp::kVlekGuid), vlek);
  EXPECT_EQ(entry(by_vlek, snp::kAskGuid), kAsvk);
  EXPECT_EQ(entry(by_vlek, snp::kVcekGuid), Octets());

  Octets unsigned_report = file("reports/v3-milan.bin");
  unsigned_report[0x48] = 7 << 2;
  EXPECT_TRUE(loaded->table_for(unsigned_report).empty());
  EXPECT_TRUE(loaded->table_for(Octets(1183)).empty());
}

TEST_F(Certificates, OfTheVlekMayHaveTheirOwnDirectory) {
  put("vcek.der", kAsk);
  put("ark.der", kArk);
  put("vlek/vlek.der", file("certs/v3-milan-vlek.vlek.der"));
  put("vlek/ask.der", kAsvk);
  const auto loaded = load();
  ASSERT_TRUE(loaded) << at_ << ": " << loaded.error().where;
  const Bytes table = loaded->table_for(file("reports/v3-milan-vlek.bin"));
  EXPECT_EQ(entry(table, snp::kAskGuid), kAsvk);
  EXPECT_EQ(entry(table, snp::kArkGuid), Octets()) << "the other line's root is none of this one's";
}

// AMD's own intermediate and root, which are published as PEM: the first octets of their DER, and that they are whole,
// are what a reader of X.690 says of them.
TEST_F(Certificates, AreReadFromPemToo) {
  const Octets both = file("ca/ask_ark_milan.pem");
  const std::string text(both.begin(), both.end());
  const std::string end = "-----END CERTIFICATE-----\n";
  const std::string first = text.substr(0, text.find(end) + end.size());
  put("vcek.der", kAsk);
  put("ask.pem", "Subject: what openssl x509 -text prints\n" + first);
  const auto loaded = load();
  ASSERT_TRUE(loaded) << at_ << ": " << loaded.error().where;
  const Octets ask = entry(loaded->table_for(file("reports/v3-milan.bin")), snp::kAskGuid);
  ASSERT_GT(ask.size(), 4U);
  EXPECT_EQ(ask[0], 0x30);
  EXPECT_EQ(ask.size(), 4U + (std::size_t{ask[2]} << 8 | ask[3]));
  put("ask.pem", text);
  EXPECT_FALSE(load()) << "two certificates in one file";
}

struct BadFile {
  const char* name;
  Octets octets;
};
std::ostream& operator<<(std::ostream& out, const BadFile& bad) {
  return out << bad.name;
}
Octets text(const std::string& of) {
  return {of.begin(), of.end()};
}
const std::string kBegin = "-----BEGIN CERTIFICATE-----\n", kEnd = "-----END CERTIFICATE-----\n";

class BadCertificate : public testing::TestWithParam<BadFile> {};
INSTANTIATE_TEST_SUITE_P(
    HostCertificates, BadCertificate,
    testing::Values(BadFile{"empty", {}}, BadFile{"one octet", {0x30}}, BadFile{"no SEQUENCE", {0x31, 0x00}},
                    BadFile{"cut off", {0x30, 0x02, 0x00}}, BadFile{"an octet more", {0x30, 0x01, 0x00, 0x00}},
                    BadFile{"indefinite length", {0x30, 0x80, 0x00, 0x00}},
                    BadFile{"length in four octets", {0x30, 0x84, 0x00, 0x00, 0x00, 0x01, 0x00}},
                    BadFile{"length without its octets", {0x30, 0x82, 0x01}},
                    BadFile{"PEM without an end", text(kBegin + "MAEA\n")},
                    BadFile{"PEM of no base64", text(kBegin + "M*EA\n" + kEnd)},
                    BadFile{"PEM of something else", text(kBegin + "AAAA\n" + kEnd)},
                    BadFile{"two in PEM", text(kBegin + "MAEA\n" + kEnd + kBegin + "MAEA\n" + kEnd)}));

TEST_P(BadCertificate, IsRefused) {
  const auto der = certificate_der(GetParam().octets);
  ASSERT_FALSE(der);
  EXPECT_EQ(der.error().code, Errc::certificate_malformed);
}

TEST(HostCertificates, OneSequenceIsACertificateHere) {
  EXPECT_EQ(*certificate_der(text(kBegin + "MAEA\r\n" + kEnd)), (Octets{0x30, 0x01, 0x00}));
  EXPECT_TRUE(certificate_der(Octets{0x30, 0x81, 0x01, 0x00}));
}

TEST_F(Certificates, DirectoryWithoutAVekIsAConfigurationError) {
  put("ask.der", kAsk);
  put("notes.txt", kAsk);
  EXPECT_EQ(load().error().code, Errc::bad_config);
  EXPECT_EQ(at_, directory_.string());
  EXPECT_EQ(HostCertificates::load("/nonexistent", at_).error().code, Errc::bad_config);
}

TEST_F(Certificates, FileThatIsWrongIsNamed) {
  put("vcek.der", Octets{0x30});
  EXPECT_EQ(load().error().code, Errc::bad_config);
  EXPECT_EQ(at_, (directory_ / "vcek.der").string());
  fs::remove(directory_ / "vcek.der");
  fs::create_directory(directory_ / "vcek.der");
  EXPECT_EQ(load().error().code, Errc::bad_config);
  fs::remove(directory_ / "vcek.der");
  // 16 KiB is what a guest may bring, and a body to the broker may hold.
  Octets large(17 * 1024);
  large[0] = 0x30;
  large[1] = 0x82;
  large[2] = static_cast<std::uint8_t>((large.size() - 4) >> 8);
  large[3] = static_cast<std::uint8_t>(large.size() - 4);
  put("vcek.der", large);
  EXPECT_EQ(load().error().code, Errc::bad_config);
}

TEST(HostCertificates, WithoutADirectoryThereAreNone) {
  EXPECT_TRUE(HostCertificates().table_for(file("reports/v3-milan.bin")).empty());
}

}  // namespace
}  // namespace attestbed::proxy
