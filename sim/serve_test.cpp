// SPDX-License-Identifier: Apache-2.0
#include "sim/serve.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "core/posix/clock.h"
#include "core/posix/firmware_socket.h"
#include "core/snp/guest_channel.h"
#include "sim/guest_image.h"
#include "sim/host_certificates.h"

// Real sockets and threads; the guest's end is the product's client.
namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

/// Notes keeps codes from any thread, and lets a test wait for a number of ends.
class Notes final : public ServeObserver {
 public:
  void launched(std::uint64_t) override {}
  void answered(std::uint64_t, const snp::GuestRequestExit&, const CallRecord*, const Fault*) override {}
  void ended(std::uint64_t, const Error& why) override { note(ends_, why); }
  void turned_away(const Error& why) override { note(refusals_, why); }
  std::vector<Errc> wait_for_ends(std::size_t count) { return wait_for(ends_, count); }
  std::vector<Errc> wait_for_refusals(std::size_t count) { return wait_for(refusals_, count); }

 private:
  void note(std::vector<Errc>& into, const Error& why) {
    const std::lock_guard lock(mutex_);
    into.push_back(why.code);
    changed_.notify_all();
  }
  std::vector<Errc> wait_for(std::vector<Errc>& of, std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 60s, [&] { return of.size() >= count; });
    return of;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Errc> ends_, refusals_;
};

class Serving : public testing::Test {
 protected:
  Serving() {
    char name[] = "/tmp/attestbed-serve-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/firmware.sock";
    static const auto authority =
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::genoa));
    config_ = {Machine::of(authority), kDefaultPolicy, {7}, *synthetic_image("serve test"), std::nullopt};
  }
  ~Serving() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  void start(HostConfig host = {}, ServeLimits limits = {}) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    stop_read_ = posix::Fd(ends[0]);
    stop_write_ = posix::Fd(ends[1]);
    auto listener = posix::listen_unix(path_, 8, posix::IfExists::refuse);
    ASSERT_TRUE(listener);
    listener_ = posix::Fd(::dup(listener->get()));
    server_.emplace(config_, std::move(host), limits, clock_, notes_);
    thread_ = std::thread(
        [this, owned = listener->release()] { ran_ = server_->run(posix::Fd(owned), stop_read_.get()).has_value(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    stop_write_.reset();
    thread_.join();
    EXPECT_TRUE(ran_);
  }

  /// Guest is a guest with its line and channel.
  struct Guest {
    std::unique_ptr<posix::FirmwareSocket> line;
    snp::ChannelPages pages;
    std::optional<snp::GuestChannel> channel;
  };
  std::unique_ptr<Guest> connect() {
    auto guest = std::make_unique<Guest>();
    auto line = posix::FirmwareSocket::connect(path_, clock_, soon());
    if (!line) return nullptr;
    guest->line = *std::move(line);
    snp::Page secrets;
    if (!guest->line->secrets_page(secrets, soon())) return nullptr;
    auto key = snp::vmpck_from_secrets_page(secrets, 0);
    if (!key) return nullptr;
    guest->channel.emplace(*std::move(key), *guest->line, clock_, guest->pages, snp::GuestChannel::Options{});
    return guest;
  }
  Deadline soon() { return clock_.now() + 60s; }

  posix::SteadyClock clock_;
  Notes notes_;
  LaunchConfig config_;
  std::string directory_, path_;
  posix::Fd stop_read_, stop_write_, listener_;
  std::optional<FirmwareServer> server_;
  std::thread thread_;
  bool ran_ = false;
};

TEST_F(Serving, EveryConnectionIsAGuestOfItsOwn) {
  start();
  const auto a = connect(), b = connect();
  ASSERT_TRUE(a && b);
  const snp::ReportData data{42};
  const auto first = a->channel->report(data, soon()), second = b->channel->report(data, soon()),
             again = a->channel->report(data, soon());
  ASSERT_TRUE(first && second && again);
  EXPECT_NE(first->report.report_id, second->report.report_id);
  EXPECT_EQ(first->report.report_id, again->report.report_id);
  EXPECT_EQ(first->report.measurement, *measure(config_.pages));
  EXPECT_EQ(first->report.host_data, (HostData{7}));
}

TEST_F(Serving, AGuestThatAsksGetsTheHostsCertificates) {
  const auto table = host_certificates(config_.machine);
  ASSERT_TRUE(table);
  start({.certificates = *table});
  const auto guest = connect();
  ASSERT_TRUE(guest);
  const auto room = std::make_unique<ByteArray<4 * snp::kPageBytes>>();
  snp::Page secrets;
  auto line = posix::FirmwareSocket::connect(path_, clock_, soon());
  ASSERT_TRUE(line);
  ASSERT_TRUE((*line)->secrets_page(secrets, soon()));
  snp::ChannelPages pages;
  snp::GuestChannel asking(*snp::vmpck_from_secrets_page(secrets, 0), **line, clock_, pages,
                           {.extended = line->get(), .certs = *room});
  const auto with = asking.report({}, soon()), without = guest->channel->report({}, soon());
  ASSERT_TRUE(with && without);
  EXPECT_TRUE(std::ranges::equal(with->certs, *table));
  EXPECT_TRUE(without->certs.empty());
}

TEST_F(Serving, AGuestGoesOnIfTheCertificatesNeedMoreRoom) {
  start({.certificates = std::vector<std::uint8_t>(3 * snp::kPageBytes, 1)});
  auto line = posix::FirmwareSocket::connect(path_, clock_, soon());
  ASSERT_TRUE(line);
  snp::Page secrets, room;
  ASSERT_TRUE((*line)->secrets_page(secrets, soon()));
  snp::ChannelPages pages;
  snp::GuestChannel asking(*snp::vmpck_from_secrets_page(secrets, 0), **line, clock_, pages,
                           {.extended = line->get(), .certs = room});
  for (int i = 0; i < 2; ++i) {
    const auto evidence = asking.report({}, soon());
    ASSERT_TRUE(evidence);
    EXPECT_TRUE(evidence->certs.empty());
  }
}

TEST_F(Serving, TheSocketIsForItsUserAlone) {
  start();
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(Serving, AHostileGuestCostsTheOthersNothing) {
  start();
  const auto honest = connect();
  ASSERT_TRUE(honest);
  auto garbage = posix::connect_unix(path_, clock_, soon());
  ASSERT_TRUE(garbage);
  posix::FdTransport line(*std::move(garbage), clock_);
  const ByteArray<64> noise{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  ASSERT_TRUE(line.write_all(noise, soon()));
  EXPECT_EQ(notes_.wait_for_ends(1), std::vector<Errc>{Errc::bad_value});
  EXPECT_TRUE(honest->channel->report({}, soon()));
}

// The second copy lies in the line when the guest asks again. Its tag is good, and its number is not the next.
TEST_F(Serving, AnAnswerThatComesTwiceIsNotTakenForTheNext) {
  start({.faults = {{1, false, FaultKind::twice, {}}}});
  const auto guest = connect();
  ASSERT_TRUE(guest);
  EXPECT_TRUE(guest->channel->report({}, soon()));
  const auto again = guest->channel->report({}, soon());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::firmware_reply);
  EXPECT_FALSE(guest->channel->usable());
}

TEST_F(Serving, ASilentHostLetsItsGuestGo) {
  start({.faults = {{1, false, FaultKind::silence, {}}}});
  auto guest = connect();
  ASSERT_TRUE(guest);
  const auto report = guest->channel->report({}, clock_.now() + 50ms);
  ASSERT_FALSE(report);
  EXPECT_FALSE(guest->channel->usable());
  guest.reset();
  // The idle limit is ten minutes: only the hang-up can end this guest in time.
  EXPECT_EQ(notes_.wait_for_ends(1).size(), 1U);
}

TEST_F(Serving, StopsWithGuestsStillConnected) {
  start({.faults = {{1, false, FaultKind::silence, {}}}});
  const auto idle = connect(), waiting = connect();
  ASSERT_TRUE(idle && waiting);
  EXPECT_FALSE(waiting->channel->report({}, clock_.now() + 50ms));
  stop();
  EXPECT_EQ(notes_.wait_for_ends(2).size(), 2U);
}

// Nobody raises the caller's stop descriptor here; a guest's thread that watched it alone would hold the server for
// ever.
TEST_F(Serving, EndsItsGuestsWhenTheListenerFails) {
  start();
  const auto idle = connect();
  ASSERT_TRUE(idle);
  ASSERT_EQ(::shutdown(listener_.get(), SHUT_RDWR), 0);
  thread_.join();
  EXPECT_FALSE(ran_);
  EXPECT_EQ(notes_.wait_for_ends(1).size(), 1U);
}

TEST_F(Serving, TurnsAwayWhatIsBeyondTheLimitAndServesAgainLater) {
  ServeLimits limits;
  limits.max_guests = 1;
  start({}, limits);
  auto only = connect();
  ASSERT_TRUE(only);
  EXPECT_FALSE(connect());
  EXPECT_EQ(notes_.wait_for_refusals(1), std::vector<Errc>{Errc::too_large});
  EXPECT_TRUE(only->channel->report({}, soon()));
  only.reset();
  ASSERT_EQ(notes_.wait_for_ends(1).size(), 1U);
  // The end is told a moment before its place is free.
  std::unique_ptr<Guest> next;
  const Deadline until = soon();
  while (!next && clock_.now() < until) next = connect();
  EXPECT_TRUE(next);
}

TEST_F(Serving, ManyGuestsAtOnce) {
  start();
  constexpr int kGuests = 16;
  std::vector<std::thread> threads;
  std::atomic<int> served = 0;
  for (int i = 0; i < kGuests; ++i) {
    threads.emplace_back([&] {
      const auto guest = connect();
      if (guest && guest->channel->report({}, soon())) ++served;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, kGuests);
}

}  // namespace
}  // namespace attestbed::sim
