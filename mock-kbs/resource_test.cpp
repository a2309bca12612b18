// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/resource.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace attestbed::kbs {
namespace {

std::string file_with(const std::string& name, std::size_t size) {
  const std::string path = testing::TempDir() + "mock-kbs-" + std::to_string(getpid()) + name;
  std::ofstream(path, std::ios::binary) << std::string(size, 's');
  return path;
}

TEST(SecretFile, IsReadWholeUpToTheCap) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{32}, kMaxResourceBytes}) {
    const std::string path = file_with("ok", size);
    const Checked<SecretOctets> secret = read_secret_file(path);
    ASSERT_TRUE(secret) << size;
    EXPECT_EQ(secret->size(), size);
    EXPECT_TRUE(std::ranges::all_of(secret->expose(), [](std::uint8_t octet) { return octet == 's'; }));
    std::filesystem::remove(path);
  }
}

TEST(SecretFile, IsRefusedWithItsName) {
  const std::string large = file_with("large", kMaxResourceBytes + 1);
  const std::string fifo = testing::TempDir() + "mock-kbs-fifo-" + std::to_string(getpid());
  std::filesystem::remove(fifo);
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::pair<std::string, Errc> cases[] = {
      {large, Errc::too_large},
      {fifo, Errc::io_failed},
      {testing::TempDir(), Errc::io_failed},
      {testing::TempDir() + "mock-kbs-absent", Errc::io_failed},
  };
  for (const auto& [path, code] : cases) {
    const Checked<SecretOctets> secret = read_secret_file(path);
    ASSERT_FALSE(secret) << path;
    EXPECT_EQ(secret.error().code, code) << path;
    EXPECT_EQ(secret.error().field, path);
  }
  std::filesystem::remove(large);
  std::filesystem::remove(fifo);
}

TEST(SecretOctets, WipesWhatItShrinksAwayAndMovesWithoutACopy) {
  SecretOctets secret(8);
  std::ranges::fill(secret.expose_mut(), std::uint8_t{0x5a});
  const MutBytes whole = secret.expose_mut();
  secret.shrink(3);
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_TRUE(std::ranges::all_of(whole.subspan(3), [](std::uint8_t octet) { return octet == 0; }));
  SecretOctets moved = std::move(secret);
  EXPECT_EQ(moved.expose().data(), whole.data());
  EXPECT_EQ(moved.size(), 3U);
}

}  // namespace
}  // namespace attestbed::kbs
