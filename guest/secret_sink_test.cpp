// SPDX-License-Identifier: Apache-2.0
#include "guest/secret_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
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

TEST_F(SecretSink, WhatExistsIsRefusedBeforehandAndNeverReplaced) {
  const std::string file = folder_ + "/old", link = folder_ + "/link", directory = folder_ + "/directory";
  ASSERT_TRUE(posix::write_file_private(file, bytes_of("precious")));
  std::filesystem::create_symlink(folder_ + "/nothing", link);
  std::filesystem::create_directory(directory);
  for (const auto& [path, error] : {std::pair{file, EEXIST}, {link, EEXIST}, {directory, EISDIR}}) {
    Options out, report;
    out.out_file = report.report_file = path;
    for (const Options* options : {&out, &report}) {
      const Status checked = check_destinations(*options);
      ASSERT_FALSE(checked) << path;
      EXPECT_EQ(checked.error().code, Errc::io_failed);
      EXPECT_EQ(checked.error().found, static_cast<std::uint64_t>(error)) << path;
    }
    const Result<std::string> kept = hand_on(secret_, out);
    ASSERT_FALSE(kept) << "made meanwhile, it is not replaced either";
    EXPECT_EQ(kept.error().found, static_cast<std::uint64_t>(EEXIST));
  }
  EXPECT_EQ(*posix::read_file(file, 100), "precious");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/nothing"));
}

TEST_F(SecretSink, SecretAndReportAreTwoFiles) {
  std::filesystem::create_symlink(folder_, folder_ + "/round");
  Options options;
  options.out_file = folder_ + "/one";
  for (const char* same : {"/one", "/./one", "/round/one"}) {
    options.report_file = folder_ + same;
    const Status checked = check_destinations(options);
    ASSERT_FALSE(checked) << same;
    EXPECT_EQ(checked.error().code, Errc::bad_config);
  }
  options.report_file = folder_ + "/two";
  EXPECT_TRUE(check_destinations(options));
}

}  // namespace
}  // namespace attestbed::guest
