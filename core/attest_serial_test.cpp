// SPDX-License-Identifier: Apache-2.0
#include "core/attest_fixture.h"

namespace attestbed {
namespace {

TEST_F(AttestTest, OnASerialLineARepeatedRequestIsTheSameAndItsAnswerIsDropped) {
  config_.line = LineKind::serial;
  host_.late = 2;
  const auto released = run();
  ASSERT_TRUE(released) << posix::describe(released.error());
  EXPECT_EQ(text_of(released->secret), "the secret");
  ASSERT_EQ(host_.received.size(), 4U) << "three questions, then the evidence";
  EXPECT_EQ(host_.received[0], host_.received[2]);
  EXPECT_EQ(workspace_->trace.negotiation_requests, 3U);
  EXPECT_EQ(reports_.asked.size(), 1U);
}

struct Ending {
  const char* name;
  std::function<void(FakeHost&, BindingProvider&)> break_it;
  LineKind line;
  std::chrono::seconds silence;
};
class AttestSilence : public AttestTest, public testing::WithParamInterface<Ending> {};
TEST_P(AttestSilence, FollowsAnAttemptThatLostStepOnASerialLine) {
  config_.line = GetParam().line;
  host_.late = 0;
  GetParam().break_it(host_, reports_);
  EXPECT_FALSE(run());
  EXPECT_EQ(clock_.at, Instant(GetParam().silence));
}
void garble(FakeHost& host) {
  host.change_answer = [](json& m) { m = "no object"; };
}
INSTANTIATE_TEST_SUITE_P(
    Table, AttestSilence,
    testing::Values(Ending{"Garbled", [](auto& h, auto&) { garble(h); }, LineKind::serial, std::chrono::seconds(1)},
                    Ending{"GarbledConnected", [](auto& h, auto&) { garble(h); }, LineKind::connected, {}},
                    Ending{"Closed", [](auto& h, auto&) { h.silence_before = Errc::closed; }, LineKind::serial,
                           std::chrono::seconds(1)},
                    Ending{"Refused",
                           [](auto& h, auto&) { h.change_answer = [](json& m) {
                                                  m = {{"success", false}};
                                                }; },
                           LineKind::serial,
                           {}},
                    Ending{"FirmwareBusy",
                           [](auto&, auto& r) {
                             r.fail = Error{Errc::firmware_busy, "test"};
                           },
                           LineKind::serial,
                           {}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace attestbed
