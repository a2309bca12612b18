// SPDX-License-Identifier: Apache-2.0
#include "kds-client/disk_cache.h"

#include <sys/stat.h>

#include <fstream>
#include <set>

#include "core/posix/describe.h"
#include "kds-client/kds_fixture.h"

namespace attestbed::kds {
namespace {

class DiskCacheTest : public test::KdsTest {
 protected:
  DiskCache open(const std::string& name) {
    const auto opened = DiskCache::open(scratch_.path(name));
    EXPECT_TRUE(opened) << opened.error().text();
    return *opened;
  }
};

mode_t mode_of(const std::string& path) {
  struct stat about {};
  EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
  return about.st_mode & 07777;
}

TEST_F(DiskCacheTest, KeepsAnAnswerForItsOwnerAlone) {
  ::umask(0);
  const DiskCache cache = open("a/b");
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  ASSERT_TRUE(cache.write(vcek(), vcek_der(), kNow));
  const auto entry = cache.read(vcek());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->octets, vcek_der());
  EXPECT_EQ(entry->fetched, kNow);
  EXPECT_EQ(mode_of(scratch_.path("a/b")), 0700U);
  EXPECT_EQ(mode_of(cache.path_of(vcek())), 0600U);
  ::umask(022);
}

TEST_F(DiskCacheTest, RefusesADirectoryThatOthersMayUse) {
  std::filesystem::create_directory(scratch_.path("open"));
  ::chmod(scratch_.path("open").c_str(), 0755);
  const auto opened = DiskCache::open(scratch_.path("open"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::bad_config);
  EXPECT_NE(opened.error().text().find("chmod 700"), std::string::npos) << opened.error().text();
  ASSERT_TRUE(posix::replace_file_private(scratch_.path("file"), {}));
  EXPECT_EQ(DiskCache::open(scratch_.path("file")).error().code, Errc::bad_config);
  EXPECT_EQ(DiskCache::open(scratch_.path("file/below")).error().code, Errc::io_failed);
}

// Each flipped bit in turn: absent, never another answer. The tail of a certificate holds its signature, which nothing
// here looks at: the digest alone finds those.
TEST_F(DiskCacheTest, NoFlippedBitIsRead) {
  const DiskCache cache = open("cache");
  ASSERT_TRUE(cache.write(vcek(), vcek_der(), kNow));
  const std::string path = cache.path_of(vcek());
  const std::string whole = *posix::read_file(path, 100'000);
  for (std::size_t bit = 0; bit < 8 * whole.size(); bit += 5) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    std::ofstream(path, std::ios::binary) << damaged;
    const auto entry = cache.read(vcek());
    // The time of the fetch is data: another digit there is another time.
    if (entry) {
      ASSERT_EQ(entry->octets, vcek_der()) << "bit " << bit;
      ASSERT_NE(entry->fetched, kNow) << "bit " << bit;
    } else {
      ASSERT_FALSE(std::filesystem::exists(path)) << "what is damaged goes away, bit " << bit;
    }
  }
}

TEST_F(DiskCacheTest, ATruncatedOrForeignFileIsAbsent) {
  const DiskCache cache = open("cache");
  ASSERT_TRUE(cache.write(vcek(), vcek_der(), kNow));
  const std::string path = cache.path_of(vcek());
  const std::string whole = *posix::read_file(path, 100'000);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_EQ(cache.read(vcek()), std::nullopt) << size;
  }
  std::ofstream(path, std::ios::binary) << whole << 'x';
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  std::ofstream(path, std::ios::binary) << std::string(1'000'000, 'x');
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  // A whole file of another request under this one's name.
  const Request genoa = vcek(snp::Product::genoa);
  ASSERT_TRUE(cache.write(genoa, vcek_der(snp::Product::genoa), kNow));
  std::filesystem::rename(cache.path_of(genoa), path);
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  // Another chip's certificate, sealed as this request's: the digest holds, the certificate says whose it is.
  ASSERT_TRUE(cache.write(vcek(), vcek_der(snp::Product::genoa), kNow));
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(DiskCacheTest, WhatIsNoFileIsAbsent) {
  const DiskCache cache = open("cache");
  const std::string path = cache.path_of(vcek());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(cache.read(vcek()), std::nullopt);
  EXPECT_TRUE(cache.write(vcek(), vcek_der(), kNow)) << "a write takes the name over";
  EXPECT_TRUE(cache.read(vcek()));
}

TEST_F(DiskCacheTest, TheLongestKeptMakesRoom) {
  const DiskCache cache = open("cache");
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (std::size_t i = 0; i < DiskCache::kMaxFiles; ++i) {
    const std::string path = scratch_.path("cache/x" + std::to_string(i) + ".kds");
    std::ofstream(path) << 'x';
    if (i == 77) std::filesystem::last_write_time(path, old);
  }
  ASSERT_TRUE(cache.write(vcek(), vcek_der(), kNow));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path("cache/x77.kds")));
  EXPECT_TRUE(std::filesystem::exists(scratch_.path("cache/x78.kds")));
  EXPECT_TRUE(cache.read(vcek()));
}

TEST_F(DiskCacheTest, EveryRequestHasAFileOfItsOwn) {
  const DiskCache cache = open("cache");
  const auto& authority = test::catalogue().authorities().at(snp::Product::milan);
  snp::Tcb tcb = authority.tcb();
  std::set<std::string> paths{cache.path_of(vcek())};
  for (std::uint8_t snp::Tcb::*part : {&snp::Tcb::boot_loader, &snp::Tcb::tee, &snp::Tcb::snp, &snp::Tcb::microcode}) {
    tcb.*part = static_cast<std::uint8_t>(tcb.*part + 1);
    paths.insert(cache.path_of(*Request::vcek(snp::Product::milan, authority.chip_id(), tcb)));
  }
  for (const Hierarchy hierarchy : {Hierarchy::vcek, Hierarchy::vlek}) {
    paths.insert(cache.path_of(Request::crl(snp::Product::milan, hierarchy)));
    paths.insert(cache.path_of(Request::cert_chain(snp::Product::milan, hierarchy)));
  }
  EXPECT_EQ(paths.size(), 9U);
}

}  // namespace
}  // namespace attestbed::kds
