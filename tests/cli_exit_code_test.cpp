// SPDX-License-Identifier: Apache-2.0
// What each subcommand that reads files ends with, for each way in which it can end: 0 good, 1 refused, 2 the command
// line or a file of the user's own is not what it must be, 3 a file cannot be read.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/command_line.h"

namespace attestbed {
namespace {

using tests::attestbed;
using tests::contains;
using tests::kCerts;
using tests::kSamples;
using tests::kSource;
using tests::kThen;
using tests::Octets;
using tests::Ran;
using tests::report;
using tests::Scratch;

struct Case {
  std::string arguments;
  int exit_code;
  std::string says;
};

void expect(const Case& wanted) {
  SCOPED_TRACE(wanted.arguments);
  const Ran ran = attestbed(wanted.arguments);
  EXPECT_EQ(ran.exit_code, wanted.exit_code) << ran.out << ran.err;
  EXPECT_TRUE(contains(ran.err, wanted.says)) << ran.err;
  for (const char* word : {"frame", "peer", "sender"}) EXPECT_FALSE(contains(ran.err, word)) << ran.err;
}

/// Files that are not what any option takes.
class ExitCode : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    std::filesystem::create_directory(folder_);
    std::filesystem::resize_file(scratch_.put("sparse", Octets()), 300U << 20);
  }

  /// unreadable are the cases of a file that a command line ends with and that cannot be read, whatever it should be.
  void expect_unreadable(const std::string& command, const std::string& huge) {
    expect({command + absent_, 3, "io_failed"});
    expect({command + fifo_, 3, "a pipe, socket or device"});
    expect({command + huge, 3, "too_large"});
  }

  const Scratch scratch_;
  const std::string absent_ = scratch_ / "absent", fifo_ = scratch_ / "fifo", folder_ = scratch_ / "folder";
  const std::string huge_ = scratch_.put("huge", Octets(300 * 1024, 2));
  const std::string sparse_ = scratch_ / "sparse";
  const std::string empty_ = scratch_.put("empty", Octets());
  const std::string key_ =
      scratch_.put_text("ark.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  const std::string short_ = scratch_.put("short.bin", Octets(1183, 0));
};

TEST_F(ExitCode, OfTheProgramItself) {
  const Case cases[] = {
      {"--version", 0, ""},   {"--help", 0, ""},         {"verify --help", 0, ""}, {"explain --help", 0, ""},
      {"show --help", 0, ""}, {"measure --help", 0, ""}, {"", 2, "subcommand"},    {"nonsense", 2, "nonsense"},
  };
  for (const Case& each : cases) expect(each);
}

class ExitCodeOfJudges : public ExitCode, public testing::WithParamInterface<const char*> {};

TEST_P(ExitCodeOfJudges, IsTheSameForTheSameInput) {
  const std::string command = std::string(GetParam()) + " ", genoa = report("v5-genoa");
  const std::string good = command + genoa + kThen + kCerts;
  const std::string revoked = scratch_.put_text("other.toml", "[machine]\nproducts = \"Milan\"\n");
  const Case cases[] = {
      {good, 0, ""},
      {command + kCerts, 2, "REPORT"},
      {command + genoa, 2, "--certs"},
      {good + " --nonsense", 2, "nonsense"},
      {good + " --at yesterday", 2, "--at"},
      {good + " --kds-cache " + folder_, 2, "--kds-cache"},
      {good + " --root " + key_, 2, "bad_config: --root " + key_},
      {good + " --root " + empty_, 2, "bad_config: --root " + empty_},
      {good + " --root " + kSamples + "certs/v5-genoa.vcek.der", 2, "expected a self-signed ARK"},
      {good + " --crl " + kSamples + "certs/v5-genoa.vcek.der", 2, "bad_config: --crl "},
      {good + " --policy " + key_, 2, "bad_config: " + key_ + ":1"},
      {good + " --policy " + scratch_.put_text("p.toml", "[guest]\nvmlp = 0\n"), 2, "p.toml:2: guest.vmlp"},
      {command + genoa + kThen + " --certs " + empty_, 1, "certificate_malformed"},
      {command + genoa + kThen + " --certs " + key_, 1, "certificate_malformed"},
      {command + folder_ + kCerts, 3, "Is a directory"},
  };
  for (const Case& each : cases) expect(each);
  expect_unreadable(good + " --root ", huge_);
  expect_unreadable(good + " --crl ", huge_);
  expect_unreadable(good + " --policy ", huge_);
  expect_unreadable(good + " --kds amd --kds-ca ", sparse_);
  expect_unreadable(good + " --certs ", huge_);
  expect_unreadable(command + kCerts + kThen + " ", huge_);
  // What was judged and refused: `verify` says it on standard error, too.
  for (const std::string& refused :
       {command + short_ + kCerts, good + " --policy " + revoked, command + genoa + kThen + " --certs " + folder_,
        good + " --root " + kSamples + "ca/ask_ark_milan.pem"}) {
    EXPECT_EQ(attestbed(refused).exit_code, 1) << refused;
  }
}
INSTANTIATE_TEST_SUITE_P(Commands, ExitCodeOfJudges, testing::Values("verify", "explain"),
                         [](const auto& command) { return std::string(command.param); });

TEST_F(ExitCode, OfShow) {
  const std::string page = scratch_.put("page.bin", Octets(4096, 1));
  const Case cases[] = {
      {"show " + report("v5-genoa"), 0, ""},
      {"show", 2, "FILE"},
      {"show --nonsense x", 2, "nonsense"},
      {"show " + page + " --as guest-message --vmpck " + short_, 2, "bad_config: --vmpck " + short_},
      {"show " + scratch_.put_text("bad.igvm", "IGVM and no more"), 2, "image_malformed"},
      {"show " + short_, 1, "bad_length"},
      {"show " + empty_, 1, "bad_length"},
      {"show " + key_, 1, "certificate_malformed"},
      {"show " + folder_, 3, "Is a directory"},
  };
  for (const Case& each : cases) expect(each);
  expect_unreadable("show ", huge_);
  expect_unreadable("show " + page + " --as guest-message --vmpck ", huge_);
}

TEST_F(ExitCode, OfMeasure) {
  const Case cases[] = {
      {"measure --pages " + kSource + "/sim/testdata/reference-pages.txt", 0, ""},
      {"measure --ovmf " + empty_, 2, "image_malformed: " + empty_ + ": offset 0x0: firmware size"},
      {"measure --igvm " + empty_, 2, "image_malformed: " + empty_ + ": offset 0x0: IGVM fixed header"},
      {"measure --pages " + empty_, 2, "image_malformed"},
      {"measure --pages " + scratch_.put_text("bad.txt", "normal 0x1001\n"), 1, "firmware_refused"},
  };
  for (const Case& each : cases) expect(each);
  for (const char* option : {"--pages ", "--ovmf ", "--igvm "}) {
    expect_unreadable(std::string("measure ") + option, sparse_);
  }
}

}  // namespace
}  // namespace attestbed
