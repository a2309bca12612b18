// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/ca.h"

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

TEST_F(CaDirectory, LoadsWhatItSaved) {
  const CertificateAuthority authority = default_authority(snp::Product::genoa);
  const std::string directory = path("missing/parents/ca");
  ASSERT_TRUE(authority.save(directory));
  const auto loaded = CertificateAuthority::load(directory, kDefaultSeed);
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(loaded->ark(), authority.ark());
  EXPECT_EQ(loaded->vcek(), authority.vcek());
  EXPECT_EQ(loaded->vlek(), authority.vlek());
  EXPECT_EQ(loaded->crl(), authority.crl());
  EXPECT_EQ(loaded->csp_id(), authority.csp_id());
  EXPECT_EQ(loaded->chip_id(), authority.chip_id());
  EXPECT_EQ(loaded->tcb(), authority.tcb());
  EXPECT_EQ(loaded->profile().product, snp::Product::genoa);
  EXPECT_EQ(read(fs::path(directory) / "cert_chain.pem"),
            read(fs::path(directory) / "ask.pem") + read(fs::path(directory) / "ark.pem"));
  EXPECT_EQ(read(fs::path(directory) / "vlek/cert_chain.pem"),
            read(fs::path(directory) / "vlek/asvk.pem") + read(fs::path(directory) / "ark.pem"));
  // Other people's programs take a vlek that lies beside a vcek for every report's.
  EXPECT_FALSE(fs::exists(fs::path(directory) / "vlek.pem") || fs::exists(fs::path(directory) / "vlek.der"));
}

TEST_F(CaDirectory, KeepsTheChipOfARandomAuthorityForEveryTcb) {
  const snp::Tcb other{.boot_loader = 9, .snp = 9, .microcode = 200};
  const auto random = CertificateAuthority::create({.product = snp::Product::milan, .seed = {}, .tcb = {}});
  ASSERT_TRUE(random) << random.error().text;
  EXPECT_EQ(random->chip_secret().size(), 32U);
  ASSERT_TRUE(random->save(path("ca")));
  const auto loaded = CertificateAuthority::load(path("ca"), std::nullopt);
  ASSERT_TRUE(loaded) << loaded.error().text;
  // The keys are the same though the signatures of their certificates are random.
  const auto signature = random->at_tcb(other)->sign_report(bytes_of("a report"), snp::SigningKey::vlek);
  const auto again = loaded->at_tcb(other)->sign_report(bytes_of("a report"), snp::SigningKey::vlek);
  ASSERT_TRUE(signature && again);
  EXPECT_EQ(std::memcmp(&*signature, &*again, sizeof *signature), 0);
}

TEST_F(CaDirectory, KeepsPrivateKeysPrivate) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_directory()) continue;
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    const bool is_private =
        read(entry.path()).find("PRIVATE KEY") != std::string::npos || entry.path().filename() == "chip.secret";
    EXPECT_EQ(status.st_mode & 0777U, is_private ? 0600U : 0644U) << entry.path();
    EXPECT_EQ(is_private, entry.path().extension() == ".key" || entry.path().extension() == ".secret");
  }
}

TEST_F(CaDirectory, RefusesEveryMissingFileByName) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) files.push_back(entry.path());
  }
  EXPECT_EQ(files.size(), 23U);
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
      {"ark.key", "ark.key", "ark.key"},
      {"ask.key", "ask.key", "ask.key"},
      {"vlek/asvk.key", "vlek/asvk.key", "vlek/asvk.key"},
      {"vlek/asvk.key", "ask.key", "vlek/asvk.key"},
      {"vcek.key", "vcek.key", "vcek.key"},
      {"vcek.key", "vlek/vlek.key", "vcek.key"},
      {"vlek/vlek.key", "vcek.key", "vlek/vlek.key"},
      {"chip.secret", "ark.pem", "chip.secret"},
      {"ark.der", "ark.der", "ark.der"},
      {"ask.der", "ask.der", "ask.der"},
      {"ask.der", "vlek/asvk.der", "ask.der"},
      {"vlek/asvk.der", "vlek/asvk.der", "vlek/asvk.der"},
      {"ark.crl", "ark.crl", "ark.crl"},
      {"ark.crl", "ark.der", "ark.crl"},
      {"vlek/ark.crl", "ark.crl", "vlek/ark.crl"},
      {"vcek.der", "vcek.der", "vcek.der"},
      {"vlek/vlek.der", "vcek.der", "vlek/vlek.der"},
      {"ark.pem", "ark.pem", "ark.pem"},
      {"ask.pem", "ark.pem", "ask.pem"},
      {"vcek.pem", "vcek.der", "vcek.pem"},
      {"vlek/vlek.pem", "vcek.pem", "vlek/vlek.pem"},
      {"vlek/ark.der", "ark.der", "vlek/ark.der"},
      {"cert_chain.pem", "ark.pem", "cert_chain.pem"},
      {"vlek/cert_chain.pem", "cert_chain.pem", "vlek/cert_chain.pem"},
      {"ca.json", "ca.json", "ca.json"},
      {"ca.json", "ark.pem", "ca.json"},
      {"ark.key", "vcek.key", "ark.key"},
      {"vcek.key", "ark.key", "vcek.key"},
      {"ask.key", "ask.der", "ask.key"},
      {"ark.der", "ca.json", "ark.der"},
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
  for (const char* name : {"ark.der", "ask.der", "vcek.der", "ark.crl", "vlek/asvk.der", "vlek/vlek.der"}) {
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

TEST_F(CaDirectory, BlamesADescriptionThatIsChangedForWhatItDoesNotDescribe) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  const fs::path file = fs::path(directory) / "ca.json";
  const std::string good = read(file);
  struct Edit {
    const char *from, *to, *says;
  };
  constexpr Edit kEdits[] = {
      {"2025-01-01T00", "2025-01-01T01", "does not describe ark.der"},
      {"\"snp\": 24", "\"snp\": 25", "does not describe vcek.der"},
      {"CN=attestbed-sim", "CN=another", "does not describe vlek/vlek.der"},
  };
  for (const Edit& edit : kEdits) {
    std::string changed = good;
    changed.replace(changed.find(edit.from), std::strlen(edit.from), edit.to);
    write(file, changed);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded) << edit.from;
    EXPECT_EQ(loaded.error().text, directory + "/ca.json: " + edit.says);
  }
}

TEST_F(CaDirectory, RefusesAForeignChipByItsSecret) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority().save(directory));
  for (const char* foreign : {"0200000000000000\n", "00\n"}) {
    write(fs::path(directory) / "chip.secret", foreign);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().text.starts_with(directory + "/chip.secret: does not give the key"))
        << loaded.error().text;
  }
  for (const char* bad : {"", "\n", "0", "xy\n", "00 \n"}) {
    write(fs::path(directory) / "chip.secret", bad);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().text.starts_with(directory + "/chip.secret: must be")) << loaded.error().text;
  }
  write(fs::path(directory) / "chip.secret", std::string(66, '0'));
  EXPECT_TRUE(CertificateAuthority::load(directory, std::nullopt).error().text.starts_with(directory + "/chip.secret"));
}

TEST_F(CaDirectory, RefusesADescriptionWithOneWrongMember) {
  const std::string directory = path("ca");
  ASSERT_TRUE(default_authority(snp::Product::turin).save(directory));
  const fs::path file = fs::path(directory) / "ca.json";
  const std::string good = read(file);
  struct Edit {
    const char *from, *to, *says;
  };
  constexpr Edit kEdits[] = {
      {"\"Turin\"", "\"Rome\"", "\"product\""},
      {"\"Turin\"", "\"Milan\"", "\"chip_id\" must be 128 hex digits"},
      {"\"chip_id\": \"61", "\"chip_id\": \"6", "\"chip_id\" must be 16 hex digits"},
      {"\"reported_tcb\"", "\"tcb\"", "\"reported_tcb\" must be an object"},
      {"\"fmc\": 0", "\"fmc\": 256", "\"reported_tcb\".\"fmc\""},
      {"\"fmc\": 0", "\"fmc\": -1", "\"reported_tcb\".\"fmc\""},
      {"\"fmc\": 0", "\"fmc\": 128", "TCB fmc"},
      {"\"snp\": 2", "\"snp\": \"2\"", "\"reported_tcb\".\"snp\""},
      {"2025-01-01T00", "2025-13-01T00", "\"not_before\""},
      {"CN=attestbed-sim", "", "\"csp_id\""},
  };
  for (const Edit& edit : kEdits) {
    std::string changed = good;
    changed.replace(changed.find(edit.from), std::strlen(edit.from), edit.to);
    write(file, changed);
    const auto loaded = CertificateAuthority::load(directory, std::nullopt);
    ASSERT_FALSE(loaded) << edit.from;
    EXPECT_TRUE(loaded.error().text.starts_with(directory + "/ca.json: ")) << loaded.error().text;
    EXPECT_NE(loaded.error().text.find(edit.says), std::string::npos) << loaded.error().text;
  }
}

TEST_F(CaDirectory, SayWhenTheDirectoryCannotBeMade) {
  write(path("file"), "not a directory");
  const auto saved = default_authority().save(path("file/ca"));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Errc::io_failed);
}

}  // namespace
}  // namespace attestbed::sim
