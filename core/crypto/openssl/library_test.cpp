// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/openssl/library.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "core/crypto/openssl/vectors.h"
#include "core/crypto/sha2.h"
#include "core/posix/describe.h"
#include "core/posix/fd.h"

namespace attestbed::openssl {
namespace {

constexpr std::string_view kSha256OfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// run_with runs a program in an environment with this configuration file and returns what it prints.
std::string run_with(std::string program, const std::string& conf) {
  const std::string path = testing::TempDir() + "attestbed-conf-" + std::to_string(getpid());
  if (!posix::replace_file_private(path, bytes_of(conf))) return "could not write the configuration";
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  posix::Fd read_end(ends[0]), write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  std::string setting = "OPENSSL_CONF=" + path;
  std::array<char*, 2> argv{program.data(), nullptr};
  std::array<char*, 2> environment{setting.data(), nullptr};
  pid_t child = -1;
  const int spawned = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  write_end.reset();
  std::string printed;
  if (spawned == 0) {
    std::array<char, 256> piece;
    for (ssize_t n; (n = read(read_end.get(), piece.data(), piece.size())) > 0;) {
      printed.append(piece.data(), static_cast<std::size_t>(n));
    }
    waitpid(child, nullptr, 0);
  }
  unlink(path.c_str());
  return printed;
}

// Loads a library of its own choice as a provider, and demands algorithms that nobody has.
const std::string kHostile =
    "openssl_conf = init\n"
    "[init]\nproviders = providers\nalg_section = algorithms\n"
    "[providers]\ntrap = trap\n"
    "[trap]\nmodule = " CONF_TRAP
    "\nactivate = 1\n"
    "[algorithms]\ndefault_properties = fips=yes\n";
const std::string kBroken = "openssl_conf = [[[\n[init\n=\n\\";

// Shows that the file does harm, so that the next test means something.
TEST(OpensslConf, HostileFileHarmsAProgramThatReadsIt) {
  EXPECT_EQ(run_with(CONF_STOCK, kHostile), "trap ran\nfailed\n");
}

TEST(OpensslConf, HostileFileDoesNotReachUs) {
  EXPECT_EQ(run_with(CONF_PROBE, kHostile), std::string(kSha256OfAbc) + "\n");
}

TEST(OpensslConf, BrokenFileDoesNotReachUs) {
  EXPECT_EQ(run_with(CONF_PROBE, kBroken), std::string(kSha256OfAbc) + "\n");
}

TEST(OpensslLibrary, IsNotTheDefaultContext) {
  ASSERT_NE(library_context(), nullptr);
  EXPECT_NE(library_context(), OSSL_LIB_CTX_get0_global_default());
  EXPECT_EQ(OSSL_PROVIDER_available(library_context(), "default"), 1);
  EXPECT_EQ(EVP_MD_get0_provider(library().sha512.get()), library().provider.get());
}

crypto::EcPoint off_the_curve() {
  const crypto::Octets ones(32, 0x01);
  return *crypto::EcPoint::make(crypto::Curve::p256, ones, ones, "test");
}

TEST(OpensslLibrary, LeavesNoErrorsQueued) {
  ERR_clear_error();
  EXPECT_FALSE(crypto::ec_check(off_the_curve()));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(OpensslLibrary, LeavesOthersErrorsQueued) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  EXPECT_FALSE(crypto::ec_check(off_the_curve()));
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 42);
  EXPECT_EQ(ERR_get_error(), 0U);
}

TEST(OpensslLibrary, ServesThreadsAtOnce) {
  // RFC 5903 section 8.1.
  constexpr std::string_view kOwn = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
  constexpr std::string_view kX = "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63";
  constexpr std::string_view kY = "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
  constexpr std::string_view kZ = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
  constexpr std::size_t kThreads = 4;
  std::array<int, kThreads> right{};
  std::vector<std::thread> threads;
  for (int& mine : right) {
    threads.emplace_back([&mine, kOwn, kX, kY, kZ] {
      for (int round = 0; round < 16; ++round) {
        crypto::EcKey key;
        crypto::EcSharedSecret z;
        const bool agreed = key.set(crypto::Curve::p256, crypto::unhex(kOwn)) &&
                            crypto::ecdh(key, crypto::unhex_point(crypto::Curve::p256, kX, kY), z);
        if (agreed && crypto::hex(z.expose()) == kZ) ++mine;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int mine : right) EXPECT_EQ(mine, 16);
}

}  // namespace
}  // namespace attestbed::openssl
