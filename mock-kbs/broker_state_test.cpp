// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/broker_state.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "mock-kbs/broker_fixture.h"

namespace attestbed::kbs {
namespace {

snp::Measurement measurement_of(std::uint8_t octet) {
  snp::Measurement measurement;
  measurement.fill(octet);
  return measurement;
}

SecretOctets secret_of(std::string_view text) {
  SecretOctets octets(text.size());
  std::ranges::copy(bytes_of(text), octets.expose_mut().begin());
  return octets;
}

std::string text_of_resource(const BrokerState& state, std::string_view path) {
  const auto values = state.now();
  const auto at = values->resources.find(path);
  return at == values->resources.end() ? "none" : std::string(text_of(at->second->expose()));
}

class BrokerStateTest : public testing::Test {
 protected:
  BrokerState& state() { return fixture_.broker().state; }
  ReferenceEntry entry(std::string name, std::uint8_t octet) {
    ReferenceEntry made = *state().now()->reference.find_name("test-guest");
    made.name = std::move(name);
    made.measurements = {measurement_of(octet)};
    return made;
  }
  std::unique_ptr<BrokerState> beyond_loopback() { return *BrokerState::make({}, Reach::beyond_loopback); }

  BrokerFixture fixture_;
};

TEST_F(BrokerStateTest, ChangesEntriesWholeAndLeavesWhatACallerHolds) {
  const auto before = state().now();
  ASSERT_TRUE(state().put_entry(entry("new", 0xb1)));
  EXPECT_EQ(state().now()->reference.find(measurement_of(0xb1))->name, "new");
  EXPECT_EQ(before->reference.find(measurement_of(0xb1)), nullptr);

  ASSERT_TRUE(state().put_entry(entry("new", 0xb2)));
  EXPECT_EQ(state().now()->reference.find(measurement_of(0xb1)), nullptr);
  EXPECT_EQ(state().now()->reference.find(measurement_of(0xb2))->name, "new");

  ASSERT_TRUE(state().remove_entry("new"));
  EXPECT_EQ(state().now()->reference.find(measurement_of(0xb2)), nullptr);
  const Checked<void> again = state().remove_entry("new");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::bad_value);
}

TEST_F(BrokerStateTest, LeavesEverythingAsItWasWhenAChangeIsRefused) {
  const auto before = state().now();
  ReferenceEntry claimed = entry("thief", 0xa1);
  const Checked<void> twice = state().put_entry(claimed);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::bad_config);
  ReferenceEntry rootless = entry("rootless", 0xb1);
  rootless.roots.clear();
  EXPECT_FALSE(state().put_entry(rootless));
  EXPECT_FALSE(state().put_resource("default/../test", secret_of("x")));
  EXPECT_FALSE(state().put_resource("default/sample", secret_of("x")));
  EXPECT_FALSE(state().put_resource("default/sample/" + std::string(200, 'x'), secret_of("x")));
  EXPECT_FALSE(state().put_resource("default/sample/test", SecretOctets(kMaxResourceBytes + 1)));
  EXPECT_EQ(state().now(), before);
}

TEST_F(BrokerStateTest, KeepsReplacesAndForgetsSharedResources) {
  ASSERT_TRUE(state().put_resource("default/shared/one", secret_of("first")));
  ASSERT_TRUE(state().put_resource("default/shared/two", secret_of("other")));
  ASSERT_TRUE(state().put_resource("default/shared/one", secret_of("second")));
  EXPECT_EQ(text_of_resource(state(), "default/shared/one"), "second");
  ASSERT_TRUE(state().remove_resource("default/shared/one"));
  EXPECT_EQ(text_of_resource(state(), "default/shared/one"), "none");
  EXPECT_EQ(text_of_resource(state(), "default/shared/two"), "other");
  const Checked<void> unknown = state().remove_resource("default/shared/one");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::resource_unknown);
}

TEST_F(BrokerStateTest, BoundsSharedResourcesByNumberAndOctets) {
  for (std::size_t i = 0; i < BrokerState::kMaxSharedResources; ++i) {
    ASSERT_TRUE(state().put_resource("default/many/" + std::to_string(i), secret_of("x")));
  }
  EXPECT_EQ(state().put_resource("default/many/more", secret_of("x")).error().code, Errc::too_large);
  EXPECT_TRUE(state().put_resource("default/many/0", secret_of("y")));  // replaced, so no more than before
  state().reset();
  for (std::size_t i = 0; i < BrokerState::kMaxSharedOctets / kMaxResourceBytes; ++i) {
    ASSERT_TRUE(state().put_resource("default/large/" + std::to_string(i), SecretOctets(kMaxResourceBytes)));
  }
  EXPECT_EQ(state().put_resource("default/large/more", secret_of("x")).error().code, Errc::too_large);
}

TEST_F(BrokerStateTest, ResetsToTheConfiguration) {
  const auto configured = state().now();
  ASSERT_TRUE(state().put_resource("default/shared/one", secret_of("first")));
  ASSERT_TRUE(state().set_policy(*ResourcePolicy::make(ResourcePolicy::Base::deny_all, {})));
  ASSERT_TRUE(state().remove_entry("test-guest"));
  state().reset();
  EXPECT_EQ(state().now(), configured);
}

TEST_F(BrokerStateTest, KeepsWhatAnyoneCouldForgeOnLoopback) {
  const auto exposed = beyond_loopback();
  const Checked<void> root = exposed->put_entry(entry("simulated", 0xb1));
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, Errc::bad_config);
  EXPECT_FALSE(exposed->set_policy(*ResourcePolicy::make(ResourcePolicy::Base::allow_all, {})));
  EXPECT_TRUE(exposed->set_policy(*ResourcePolicy::make(ResourcePolicy::Base::affirming, {})));
  ReferenceEntry real = entry("real", 0xb1);
  real.roots.assign(verify::TrustedRoots::amd().certificates().begin(),
                    verify::TrustedRoots::amd().certificates().end());
  EXPECT_TRUE(exposed->put_entry(real));
  EXPECT_FALSE(BrokerState::make(*state().now(), Reach::beyond_loopback));
}

TEST_F(BrokerStateTest, IsReadWhileItChanges) {
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const auto values = state().now();
      const auto one = values->resources.find("default/shared/one");
      if (one == values->resources.end()) continue;
      EXPECT_EQ(text_of(one->second->expose()), "first");
    }
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(state().put_resource("default/shared/one", secret_of("first")));
    ASSERT_TRUE(state().remove_resource("default/shared/one"));
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace attestbed::kbs
