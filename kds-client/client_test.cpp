// SPDX-License-Identifier: Apache-2.0
#include "kds-client/client.h"

#include <thread>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "kds-client/kds_fixture.h"

namespace attestbed::kds {
namespace {

using namespace std::chrono_literals;
using ClientTest = test::KdsTest;

TEST_F(ClientTest, FetchesAVcekOfEveryProduct) {
  serve();
  const auto kds = client();
  for (const auto& [product, authority] : test::catalogue().authorities()) {
    const auto fetched = kds->fetch(vcek(product), in(60s));
    ASSERT_TRUE(fetched) << fetched.error().text();
    EXPECT_EQ(fetched->octets, authority.vcek());
    EXPECT_FALSE(fetched->from_cache);
    EXPECT_EQ(fetched->source, options_.url + vcek(product).target());
  }
}

struct FaultCase {
  const char* fault;
  Errc expected;
};

TEST_F(ClientTest, NamesWhatCannotBeHad) {
  const FaultCase kCases[] = {
      {"1+:404", Errc::kds_unknown},          {"1+:429", Errc::kds_busy},
      {"1+:503", Errc::kds_failed},           {"1+:500", Errc::kds_failed},
      {"1+:599", Errc::kds_failed},           {"1+:garbage", Errc::kds_malformed},
      {"1+:truncate", Errc::kds_unreachable}, {"1+:truncate:0", Errc::kds_unreachable},
  };
  for (const FaultCase& wrong : kCases) {
    SCOPED_TRACE(wrong.fault);
    options_.cache = scratch_.path("cache");
    serve({wrong.fault});
    const auto kds = client();
    const auto fetched = kds->fetch(vcek(), in(60s));
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, wrong.expected) << fetched.error().text();
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path("cache"))) << "what was no answer must not be kept";
  }
}

TEST_F(ClientTest, AsksAgainAfterWhatPasses) {
  for (const char* fault : {"1:429", "1:500", "1:599", "1:truncate"}) {
    SCOPED_TRACE(fault);
    serve({fault});
    EXPECT_TRUE(client()->fetch(vcek(), in(60s)));
    EXPECT_EQ(server_->requests(), 2U);
  }
}

TEST_F(ClientTest, DoesNotAskAgainForWhatStays) {
  for (const char* fault : {"1:404", "1:garbage"}) {
    SCOPED_TRACE(fault);
    serve({fault});
    EXPECT_FALSE(client()->fetch(vcek(), in(60s)));
    EXPECT_EQ(server_->requests(), 1U);
  }
}

TEST_F(ClientTest, WaitsAsLongAsItIsAskedTo) {
  serve({"1:429:7"});
  const Instant before = clock_.now();
  EXPECT_TRUE(client()->fetch(vcek(), in(60s)));
  EXPECT_EQ(clock_.now() - before, 7s);
}

TEST_F(ClientTest, DoesNotWaitBeyondItsDeadline) {
  serve({"1+:429:61"});
  const auto kds = client();
  const Instant before = clock_.now();
  const auto fetched = kds->fetch(vcek(), in(60s));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, Errc::kds_busy);
  EXPECT_NE(fetched.error().text().find("asks to wait 61 s"), std::string::npos) << fetched.error().text();
  EXPECT_EQ(clock_.now(), before);
  // Until that time it is not asked again, whoever wants to know.
  EXPECT_EQ(kds->fetch(vcek(), in(60s)).error().code, Errc::kds_busy);
  EXPECT_EQ(server_->requests(), 1U);
  clock_.advance(61s);
  EXPECT_FALSE(kds->fetch(vcek(), in(1s)));
  EXPECT_EQ(server_->requests(), 2U);
}

TEST_F(ClientTest, PausesLongerEachTime) {
  serve({"1+:503"});
  const Instant before = clock_.now();
  EXPECT_FALSE(client()->fetch(vcek(), in(20s)));
  // 0.5, 1, 2, 4, 8 s; the next 10 s would pass the deadline.
  EXPECT_EQ(clock_.now() - before, 15500ms);
  EXPECT_EQ(server_->requests(), 6U);
}

TEST_F(ClientTest, DoesNotRepeatARefusedRequestSoon) {
  serve({"1:404"});
  const auto kds = client();
  EXPECT_EQ(kds->fetch(vcek(), in(60s)).error().code, Errc::kds_unknown);
  EXPECT_EQ(kds->fetch(vcek(), in(60s)).error().code, Errc::kds_unknown);
  EXPECT_EQ(server_->requests(), 1U);
  EXPECT_TRUE(kds->fetch(vcek(snp::Product::genoa), in(60s))) << "another request is another matter";
  clock_.advance(10s);
  EXPECT_TRUE(kds->fetch(vcek(), in(60s)));
}

TEST_F(ClientTest, EndsASlowAnswerAtTheDeadline) {
  serve({"1+:delay:600000"});
  posix::SteadyClock clock;
  options_.wall_clock = [] { return verify::Time(); };
  const auto kds = *Client::make(options_, clock);
  const auto fetched = kds->fetch(vcek(), clock.now() + 50ms);
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, Errc::kds_timeout) << fetched.error().text();
}

TEST_F(ClientTest, NeedsTimeToAsk) {
  serve();
  EXPECT_EQ(client()->fetch(vcek(), clock_.now()).error().code, Errc::kds_timeout);
  EXPECT_EQ(server_->requests(), 0U);
}

TEST_F(ClientTest, SaysThatNobodyIsThere) {
  serve();
  server_->stop();
  const auto fetched = client()->fetch(vcek(), in(60s));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, Errc::kds_unreachable);
}

TEST_F(ClientTest, ManyWhoWantTheSameCostOneRequest) {
  serve({"1:delay:200"});
  options_.cache = scratch_.path("cache");
  const auto kds = client();
  std::vector<std::thread> callers;
  std::atomic<int> served = 0;
  for (int i = 0; i < 12; ++i) {
    callers.emplace_back([&] {
      const auto fetched = kds->fetch(vcek(), in(60s));
      if (fetched && fetched->octets == vcek_der()) ++served;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(served, 12);
  EXPECT_EQ(server_->requests(), 1U);
}

TEST_F(ClientTest, ASlowKdsHoldsNoMoreThanTheLimit) {
  serve({"1+:delay:600000"});
  options_.limits.waiting = 1;
  const auto kds = client();
  std::thread held([&] { EXPECT_FALSE(kds->fetch(vcek(), in(3600s))); });
  while (server_->requests() == 0) std::this_thread::yield();
  const auto refused = kds->fetch(vcek(snp::Product::genoa), in(3600s));
  EXPECT_EQ(refused.error().code, Errc::kds_busy);
  kds->stop();
  held.join();
}

TEST_F(ClientTest, StopEndsWhoWaits) {
  serve({"1+:delay:600000"});
  const auto kds = client();
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back([&] { EXPECT_FALSE(kds->fetch(vcek(), in(3600s))); });
  while (server_->requests() == 0) std::this_thread::yield();
  kds->stop();
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ClientTest, TheCacheSparesTheKds) {
  serve();
  options_.cache = scratch_.path("deep/er/cache");
  EXPECT_TRUE(client()->fetch(vcek(), in(60s)));
  const auto again = client()->fetch(vcek(), in(60s));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->from_cache);
  EXPECT_EQ(again->octets, vcek_der());
  EXPECT_EQ(server_->requests(), 1U);
  // What did not verify is forgotten, and asked for again.
  const auto kds = client();
  kds->forget(vcek());
  EXPECT_FALSE(kds->fetch(vcek(), in(60s))->from_cache);
}

TEST_F(ClientTest, ADamagedFileIsFetchedAgain) {
  serve();
  options_.cache = scratch_.path("cache");
  ASSERT_TRUE(client()->fetch(vcek(), in(60s)));
  const std::string path = DiskCache::open(options_.cache)->path_of(vcek());
  const std::string whole = *posix::read_file(path, 100'000);
  std::uint64_t requests = 1;
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{30}, whole.find("\n") + 5, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_TRUE(posix::replace_file_private(path, bytes_of(damaged)));
    const auto fetched = client()->fetch(vcek(), in(60s));
    ASSERT_TRUE(fetched);
    EXPECT_FALSE(fetched->from_cache) << "octet " << at;
    EXPECT_EQ(server_->requests(), ++requests);
    EXPECT_EQ(*posix::read_file(path, 100'000), whole) << "and mended";
  }
}

TEST_F(ClientTest, ACrlFromTheCacheGrowsOld) {
  serve();
  options_.cache = scratch_.path("cache");
  const auto kds = client();
  const Request crl = Request::crl(snp::Product::turin, Hierarchy::vlek);
  EXPECT_FALSE(kds->fetch(crl, in(60s))->from_cache);
  now_ += 24h - 1s;
  EXPECT_TRUE(kds->fetch(crl, in(60s))->from_cache);
  now_ += 1s;
  EXPECT_FALSE(kds->fetch(crl, in(60s))->from_cache);
  now_ -= 1s;
  EXPECT_FALSE(kds->fetch(crl, in(60s))->from_cache) << "one from the future";
  options_.offline = true;
  now_ += 1000h;
  EXPECT_TRUE(client()->fetch(crl, in(60s))->from_cache) << "offline there is no other";
}

TEST_F(ClientTest, FetchesChainsAndCrls) {
  serve();
  const auto kds = client();
  for (const auto& [product, authority] : test::catalogue().authorities()) {
    for (const Hierarchy hierarchy : {Hierarchy::vcek, Hierarchy::vlek}) {
      EXPECT_TRUE(kds->fetch(Request::cert_chain(product, hierarchy), in(60s)));
      const auto crl = kds->fetch(Request::crl(product, hierarchy), in(60s));
      ASSERT_TRUE(crl) << crl.error().text();
      EXPECT_EQ(crl->octets, authority.crl());
    }
  }
}

TEST_F(ClientTest, AFullDiskStopsNobody) {
  serve();
  options_.cache = scratch_.path("cache");
  const auto kds = client();
  std::filesystem::remove(options_.cache);
  EXPECT_TRUE(kds->fetch(vcek(), in(60s)));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find(options_.cache), std::string::npos) << warnings_[0];
}

TEST_F(ClientTest, OfflineSaysWhichFileIsMissing) {
  serve();
  options_.cache = scratch_.path("cache");
  ASSERT_TRUE(client()->fetch(vcek(), in(60s)));
  options_.offline = true;
  const auto kds = client();
  EXPECT_TRUE(kds->fetch(vcek(), in(60s)));
  const Request genoa = vcek(snp::Product::genoa);
  const auto missing = kds->fetch(genoa, in(60s));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kds_offline);
  EXPECT_EQ(missing.error().field, DiskCache::open(options_.cache)->path_of(genoa));
  EXPECT_NE(missing.error().expected.find(options_.url + genoa.target()), std::string::npos);
  EXPECT_EQ(server_->requests(), 1U);
  options_.cache.clear();
  EXPECT_EQ(Client::make(options_, clock_).error().code, Errc::bad_config);
}

}  // namespace
}  // namespace attestbed::kds
