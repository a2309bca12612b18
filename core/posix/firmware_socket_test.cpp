// SPDX-License-Identifier: Apache-2.0
#include "core/posix/firmware_socket.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/posix/clock.h"

// The client against a server that answers what the test says. Octets of the answers are written out by hand from
// docs/firmware-socket.md, not by the client's own structures.
namespace attestbed::posix {
namespace {

using namespace std::chrono_literals;

using Octets = std::vector<std::uint8_t>;

Octets answer(Octets head, std::size_t body = 0) {
  for (std::size_t i = 0; i < body; ++i) head.push_back(static_cast<std::uint8_t>(i % 251));
  return head;
}
const Octets kPageHead{0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0};

class FirmwareSocketTest : public testing::Test {
 protected:
  FirmwareSocketTest() {
    char name[] = "/tmp/attestbed-fwsock-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/s";
    auto listener = listen_unix(path_, 1, IfExists::refuse);
    EXPECT_TRUE(listener);
    listener_ = *std::move(listener);
    auto client = FirmwareSocket::connect(path_, clock_, soon());
    EXPECT_TRUE(client);
    client_ = *std::move(client);
    server_ = Fd(::accept(listener_.get(), nullptr, nullptr));
  }
  ~FirmwareSocketTest() override { std::filesystem::remove_all(directory_); }

  /// put queues the server's octets before the client asks: one thread is enough.
  void put(const Octets& octets) {
    ASSERT_EQ(::send(server_.get(), octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
  }
  Octets sent_by_client() {
    Octets octets(8192);
    const ssize_t size = ::recv(server_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    octets.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return octets;
  }
  Deadline soon() { return clock_.now() + 30s; }

  SteadyClock clock_;
  std::string directory_, path_;
  Fd listener_, server_;
  std::unique_ptr<FirmwareSocket> client_;
  snp::Page request_{}, reply_{};
};

TEST_F(FirmwareSocketTest, AsksForTheSecretsPage) {
  put(answer(kPageHead, 4096));
  ASSERT_TRUE(client_->secrets_page(reply_, soon()));
  EXPECT_EQ(reply_[0], 0);
  EXPECT_EQ(reply_[4095], 4095 % 251);
  EXPECT_EQ(sent_by_client(), (Octets{1, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_F(FirmwareSocketTest, CarriesAPageEachWay) {
  request_[0] = 0xaa;
  request_[4095] = 0xbb;
  put(answer(kPageHead, 4096));
  const auto exit = client_->call(request_, reply_, soon());
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->vmm, 0U);
  EXPECT_EQ(exit->firmware, 0U);
  EXPECT_EQ(reply_[300], 300 % 251);
  const Octets sent = sent_by_client();
  ASSERT_EQ(sent.size(), 8U + 4096U);
  EXPECT_EQ(Octets(sent.begin(), sent.begin() + 8), (Octets{2, 0, 0, 0, 0, 0x10, 0, 0}));
  EXPECT_TRUE(std::equal(request_.begin(), request_.end(), sent.begin() + 8));
}

TEST_F(FirmwareSocketTest, ExitCodesAreAResultAndTheLineGoesOn) {
  put({2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  put({0, 0, 0, 0, 0x1d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  put(answer(kPageHead, 4096));
  EXPECT_EQ(client_->call(request_, reply_, soon())->vmm, 2U);
  EXPECT_EQ(client_->call(request_, reply_, soon())->firmware, 0x1dU);
  EXPECT_EQ(client_->call(request_, reply_, soon())->firmware, 0U);
}

TEST_F(FirmwareSocketTest, ARefusedSecretsPageIsAnErrorAndThePageIsWiped) {
  reply_.fill(0x55);
  put({1, 0, 0, 0, 0x16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  const Status status = client_->secrets_page(reply_, soon());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::firmware_refused);
  EXPECT_EQ(status.error().found, 0x100000016U);
  EXPECT_EQ(std::count(reply_.begin(), reply_.end(), 0), 4096);
}

struct BadAnswer {
  const char* name;
  Octets octets;
  bool hang_up;
  Errc expected;
};
class BadAnswers : public FirmwareSocketTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswers, AreRefusedAndEndTheLine) {
  put(GetParam().octets);
  if (GetParam().hang_up) server_.reset();
  const auto exit = client_->call(request_, reply_, GetParam().hang_up ? soon() : clock_.now() + 50ms);
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, GetParam().expected) << error_name(exit.error().code);
  const auto after = client_->call(request_, reply_, soon());
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Errc::closed) << "a late answer must not be taken for the next";
}
INSTANTIATE_TEST_SUITE_P(
    Answers, BadAnswers,
    testing::Values(
        BadAnswer{"LengthZeroOnSuccess", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"LengthShort", {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x0f, 0, 0, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"LengthLong", {0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10, 0, 0, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"LengthHuge", {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"PageBesideAStatus", {0, 0, 0, 0, 1, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"PageBesideBusy", {2, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0}, false, Errc::bad_length},
        BadAnswer{"ReservedSet", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0x80}, false, Errc::reserved_set},
        BadAnswer{"SilenceAfterHalfAHead", {0, 0, 0, 0, 0}, false, Errc::deadline},
        BadAnswer{"SilenceAfterHalfAPage", answer(kPageHead, 4095), false, Errc::deadline},
        BadAnswer{"Silence", {}, false, Errc::deadline}, BadAnswer{"HangUp", {}, true, Errc::transport}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FirmwareSocketConnect, SaysThatNobodyIsThere) {
  SteadyClock clock;
  const auto client = FirmwareSocket::connect("/nonexistent/socket", clock, clock.now() + 1s);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Errc::transport);
}

}  // namespace
}  // namespace attestbed::posix
