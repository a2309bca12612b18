// SPDX-License-Identifier: Apache-2.0
#include "sim/ca.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/utc_time.h"

namespace attestbed::sim {
namespace {

namespace fs = std::filesystem;

CertificateAuthority default_authority(snp::Product product = snp::Product::milan) {
  auto made = CertificateAuthority::of_default_seed(product);
  if (!made) throw std::runtime_error(made.error().text);
  return *std::move(made);
}

class CaDirectory : public testing::Test {
 protected:
  CaDirectory() {
    char name[] = "/tmp/attestbed-ca-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~CaDirectory() override { fs::remove_all(root_); }
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }
  fs::path root_;
};

TEST(Authority, SameSeedGivesTheSameOctets) {
  const CertificateAuthority a = default_authority(), b = default_authority();
  EXPECT_EQ(a.ark(), b.ark());
  EXPECT_EQ(a.ask(), b.ask());
  EXPECT_EQ(a.vcek(), b.vcek());
  const auto signed_once = a.sign_report(bytes_of("a report")), signed_again = b.sign_report(bytes_of("a report"));
  ASSERT_TRUE(signed_once && signed_again);
  EXPECT_EQ(std::memcmp(&*signed_once, &*signed_again, sizeof *signed_once), 0);
}

TEST(Authority, SignaturesDoNotDependOnWhatWasSignedBefore) {
  const CertificateAuthority a = default_authority(), b = default_authority();
  ASSERT_TRUE(a.sign_report(bytes_of("something else")));
  const auto later = a.sign_report(bytes_of("a report")), first = b.sign_report(bytes_of("a report"));
  ASSERT_TRUE(later && first);
  EXPECT_EQ(std::memcmp(&*later, &*first, sizeof *later), 0);
  // A nonce that two messages share gives the key away; equal r would be the sign of it.
  const auto other = a.sign_report(bytes_of("something else"));
  ASSERT_TRUE(other);
  EXPECT_NE(std::memcmp(later->r, other->r, sizeof later->r), 0);
}

TEST(Authority, AnotherSeedGivesAnotherChipAndOtherKeys) {
  const auto make = [](std::optional<Seed> seed) {
    auto made = CertificateAuthority::create(
        {.product = snp::Product::genoa, .seed = seed, .tcb = {}, .not_before = seeded_not_before()});
    if (!made) throw std::runtime_error(made.error().text);
    return *std::move(made);
  };
  const CertificateAuthority seven = make(7), again = make(7), random = make(std::nullopt);
  EXPECT_EQ(seven.ark(), again.ark());
  EXPECT_EQ(seven.ask(), again.ask());
  EXPECT_EQ(seven.vcek(), again.vcek());
  const CertificateAuthority one = default_authority(snp::Product::genoa);
  for (const CertificateAuthority* other : {&one, &random}) {
    EXPECT_NE(seven.ark(), other->ark());
    EXPECT_NE(seven.ask(), other->ask());
    EXPECT_NE(seven.vcek(), other->vcek());
    EXPECT_NE(seven.chip_id(), other->chip_id());
  }
}

TEST(Authority, ChipIdBeginsWithTheMarkerAlsoInTheCertificate) {
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa}) {
    const CertificateAuthority authority = default_authority(product);
    EXPECT_TRUE(text_of(authority.chip_id()).starts_with("attestbed-sim"));
    EXPECT_NE(text_of(authority.vcek()).find(text_of(authority.chip_id())), std::string_view::npos);
  }
}

TEST(Authority, RefusesAProductThatIsNotSimulated) {
  const auto made = CertificateAuthority::of_default_seed(snp::Product::turin);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::bad_config);
}

TEST_F(CaDirectory, LoadsWhatItSaved) {
  const CertificateAuthority authority = default_authority(snp::Product::genoa);
  const std::string directory = path("missing/parents/ca");
  ASSERT_TRUE(authority.save(directory));
  const auto loaded = CertificateAuthority::load(directory, kDefaultSeed);
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(loaded->ark(), authority.ark());
  EXPECT_EQ(loaded->vcek(), authority.vcek());
  EXPECT_EQ(loaded->chip_id(), authority.chip_id());
  EXPECT_EQ(loaded->tcb(), authority.tcb());
  EXPECT_EQ(loaded->profile().product, snp::Product::genoa);
  EXPECT_EQ(read(fs::path(directory) / "cert_chain.pem"),
            read(fs::path(directory) / "ask.pem") + read(fs::path(directory) / "ark.pem"));
}

TEST_F(CaDirectory, KeepsPrivateKeysPrivate) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  for (const auto& entry : fs::directory_iterator(directory)) {
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    const bool is_private = read(entry.path()).find("PRIVATE KEY") != std::string::npos;
    EXPECT_EQ(status.st_mode & 0777U, is_private ? 0600U : 0644U) << entry.path();
    EXPECT_EQ(is_private, entry.path().extension() == ".key") << entry.path();
  }
}

TEST_F(CaDirectory, RefusesEveryMissingFileByName) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  EXPECT_EQ(files.size(), 11U);
  for (const fs::path& file : files) {
    const std::string content = read(file);
    fs::remove(file);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded) << file;
    EXPECT_EQ(loaded.error().code, Errc::io_failed);
    EXPECT_NE(loaded.error().text.find(file.string()), std::string::npos) << loaded.error().text;
    write(file, content);
  }
  EXPECT_TRUE(CertificateAuthority::load(directory, std::nullopt));
}

TEST_F(CaDirectory, RefusesSwappedAndForeignFilesByName) {
  const std::string milan = path("milan"), genoa = path("genoa");
  ASSERT_TRUE(default_authority(snp::Product::milan).save(milan));
  ASSERT_TRUE(default_authority(snp::Product::genoa).save(genoa));
  struct Swap {
    const char *file, *from_genoa, *blamed;
  };
  constexpr Swap kSwaps[] = {
      {"ark.key", "ark.key", "ark.der"},    {"ask.key", "ask.key", "ask.der"},
      {"vcek.key", "vcek.key", "vcek.der"}, {"ark.der", "ark.der", "ark.der"},
      {"ask.der", "ask.der", "ask.der"},    {"vcek.der", "vcek.der", "vcek.der"},
      {"ark.pem", "ark.pem", "ark.pem"},    {"ask.pem", "ark.pem", "ask.pem"},
      {"vcek.pem", "vcek.der", "vcek.pem"}, {"cert_chain.pem", "ark.pem", "cert_chain.pem"},
      {"ca.json", "ca.json", "ark.der"},    {"ca.json", "ark.pem", "ca.json"},
      {"ark.key", "vcek.key", "ark.key"},   {"vcek.key", "ark.key", "vcek.key"},
      {"ask.key", "ask.der", "ask.key"},    {"ark.der", "ca.json", "ark.der"},
  };
  for (const Swap& swap : kSwaps) {
    const fs::path victim = fs::path(milan) / swap.file;
    const std::string content = read(victim);
    write(victim, read(fs::path(genoa) / swap.from_genoa));
    const auto loaded = CertificateAuthority::load(milan, std::nullopt);
    ASSERT_FALSE(loaded) << swap.file;
    EXPECT_EQ(loaded.error().code, Errc::bad_config) << loaded.error().text;
    EXPECT_TRUE(loaded.error().text.starts_with(milan + "/" + swap.blamed + ": ")) << loaded.error().text;
    write(victim, content);
  }
}

TEST_F(CaDirectory, RefusesACertificateWithAChangedSignature) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  for (const char* name : {"ark.der", "ask.der", "vcek.der"}) {
    const fs::path file = fs::path(directory) / name;
    const std::string content = read(file);
    std::string changed = content;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    write(file, changed);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded) << name;
    EXPECT_NE(loaded.error().text.find("signature"), std::string::npos) << loaded.error().text;
    write(file, content);
  }
}

TEST_F(CaDirectory, SayWhenTheDirectoryCannotBeMade) {
  write(path("file"), "not a directory");
  const auto saved = default_authority().save(path("file/ca"));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Errc::io_failed);
}

TEST(UtcTime, ReadsWhatItWritesAndNothingElse) {
  const auto time = utc_time("2032-02-29T23:59:58Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(utc_text(*time), "2032-02-29T23:59:58Z");
  EXPECT_EQ(time->time_since_epoch().count(), 1961711998);  // date -u -d 2032-02-29T23:59:58Z +%s
  for (const char* bad : {"", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z",
                          "1969-12-31T23:59:59Z", "2025-01-01T00:00:00", "2025-01-01 00:00:00Z", "2025-1-01T00:00:00Z",
                          "2025-01-01T00:00:60Z", "2025-01-01T00:00:00+Z"}) {
    EXPECT_FALSE(utc_time(bad)) << bad;
  }
}

}  // namespace
}  // namespace attestbed::sim
