// SPDX-License-Identifier: Apache-2.0
#include "guest/secret_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

class SecretSink : public testing::Test {
 protected:
  SecretSink() {
    std::string path = "/tmp/attestbed-sink-XXXXXX";
    folder_ = ::mkdtemp(path.data());
  }
  ~SecretSink() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  const ByteArray<4> secret_{'s', 0, 0xff, '\n'};
};

TEST_F(SecretSink, AFileIsPrivateAndHoldsEveryOctet) {
  Options options;
  options.out_file = folder_ + "/key";
  const Result<std::string> kept = hand_on(secret_, options);
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, options.out_file);
  const Result<std::string> read = posix::read_file(options.out_file, 16);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, std::string("s\0\xff\n", 4));
  struct stat info {};
  ASSERT_EQ(::stat(options.out_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(SecretSink, StandardOutputGetsTheSecretAndNothingElse) {
  Options options;
  options.to_stdout = true;
  testing::internal::CaptureStdout();
  const Result<std::string> kept = hand_on(secret_, options);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), std::string("s\0\xff\n", 4));
  ASSERT_TRUE(kept);
}

TEST_F(SecretSink, WithoutADestinationNothingIsWritten) {
  testing::internal::CaptureStdout();
  const Result<std::string> kept = hand_on(secret_, Options{});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, "");
}

TEST_F(SecretSink, ADestinationThatCannotBeWrittenIsFoundBeforehand) {
  Options options;
  EXPECT_TRUE(check_destinations(options));
  options.out_file = folder_ + "/key";
  EXPECT_TRUE(check_destinations(options));
  for (const std::string& file : {folder_ + "/absent/key", folder_ + "/"}) {
    options.out_file = file;
    const Status checked = check_destinations(options);
    ASSERT_FALSE(checked) << file;
    EXPECT_EQ(checked.error().code, Errc::io_failed);
    EXPECT_STREQ(checked.error().where, "--out");
  }
  options.out_file.clear();
  options.report_file = folder_ + "/absent/report.bin";
  const Status checked = check_destinations(options);
  ASSERT_FALSE(checked);
  EXPECT_STREQ(checked.error().where, "--report");
}

}  // namespace
}  // namespace attestbed::guest
