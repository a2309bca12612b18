// SPDX-License-Identifier: Apache-2.0
#include "proxy/refusal_frame.h"

#include <gtest/gtest.h>

#include "proxy/fake_broker.h"

namespace attestbed::proxy {
namespace {

using protocol::Phase;

TEST(RefusalFrame, IsWhatASessionWouldSendInEitherPhase) {
  for (const Phase phase : {Phase::negotiation, Phase::attestation}) {
    const std::vector<std::uint8_t> frame = refusal_frame(Errc::proxy_busy, phase, std::string(300, 'x'));
    ASSERT_GT(frame.size(), 8U);
    ASSERT_LE(frame.size(), 512U);
    EXPECT_EQ(frame[0] + 256U * frame[1], frame.size() - 8);
    const std::string body(frame.begin() + 8, frame.end());
    EXPECT_EQ(code_in(body, phase), "proxy_busy");
    EXPECT_NE(body.find('"' + std::string(200, 'x') + '"'), std::string::npos)
        << "as much detail as the protocol allows";
  }
}

}  // namespace
}  // namespace attestbed::proxy
