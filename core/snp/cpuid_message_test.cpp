// SPDX-License-Identifier: Apache-2.0
#include "core/snp/cpuid_message.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

namespace attestbed::snp {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kFunctionBytes = 48;

std::vector<CpuidFunction> asked() {
  std::vector<CpuidFunction> functions(2);
  functions[0].eax_in = 0x8000001f;
  functions[1].eax_in = 0xd;
  functions[1].ecx_in = 1;
  functions[1].xcr0_in = 7;
  functions[1].xss_in = 0x1800;
  return functions;
}

/// rsp answers asked() by the layout of CPUID_FUNCTION: what was asked in 0x00..0x17, EAX at 0x18.
Octets rsp() {
  Octets octets(16 + 2 * kFunctionBytes);
  octets[4] = 2;
  const std::uint8_t leaf[] = {0x1f, 0, 0, 0x80};
  std::memcpy(&octets[16], leaf, sizeof leaf);
  octets[16 + 0x18] = 0x3b;
  octets[16 + 0x1c] = 0x33;
  octets[64 + 0x00] = 0x0d;
  octets[64 + 0x04] = 1;
  octets[64 + 0x08] = 7;
  octets[64 + 0x11] = 0x18;
  octets[64 + 0x20] = 0x44;
  octets[64 + 0x24] = 0x55;
  return octets;
}

TEST(CpuidRsp, FillsInTheResults) {
  auto functions = asked();
  ASSERT_TRUE(read_cpuid_rsp(rsp(), functions));
  EXPECT_EQ(functions[0].eax, 0x3bU);
  EXPECT_EQ(functions[0].ebx, 0x33U);
  EXPECT_EQ(functions[1].eax, 0U);
  EXPECT_EQ(functions[1].ecx, 0x44U);
  EXPECT_EQ(functions[1].edx, 0x55U);
}

TEST(CpuidRsp, OfNoFunctionsIsAHeadAlone) {
  EXPECT_TRUE(read_cpuid_rsp(Octets(16), {}));
}

TEST(CpuidRsp, RefusesWhatAnswersSomethingElseAndChangesNothing) {
  struct Case {
    const char* name;
    std::function<void(Octets&)> change;
    Errc expected;
  };
  const Case kCases[] = {
      {"STATUS", [](Octets& o) { o[0] = 0x16; }, Errc::firmware_status},
      {"STATUS alone", [](Octets& o) { o.resize(16), o[3] = 0x80; }, Errc::firmware_status},
      {"one more counted", [](Octets& o) { o[4] = 3; }, Errc::bad_value},
      {"one fewer counted", [](Octets& o) { o[4] = 1; }, Errc::bad_value},
      {"count in its top octet", [](Octets& o) { o[7] = 1; }, Errc::bad_value},
      {"other EAX_IN", [](Octets& o) { o[16] ^= 1; }, Errc::bad_value},
      {"other ECX_IN", [](Octets& o) { o[64 + 0x07] ^= 1; }, Errc::bad_value},
      {"other XCR0_IN", [](Octets& o) { o[64 + 0x0f] ^= 1; }, Errc::bad_value},
      {"other XSS_IN", [](Octets& o) { o[64 + 0x17] ^= 1; }, Errc::bad_value},
      {"an octet more", [](Octets& o) { o.push_back(0); }, Errc::trailing_bytes},
      {"a function more", [](Octets& o) { o.resize(o.size() + kFunctionBytes); }, Errc::trailing_bytes},
  };
  for (const Case& c : kCases) {
    Octets octets = rsp();
    c.change(octets);
    auto functions = asked();
    const Status read = read_cpuid_rsp(octets, functions);
    ASSERT_FALSE(read) << c.name;
    EXPECT_STREQ(error_name(read.error().code), error_name(c.expected)) << c.name;
    EXPECT_EQ(std::memcmp(functions.data(), asked().data(), 2 * kFunctionBytes), 0) << c.name;
  }
}

TEST(CpuidRsp, RefusesEveryTruncation) {
  const Octets good = rsp();
  for (std::size_t n = 0; n < good.size(); ++n) {
    auto functions = asked();
    EXPECT_EQ(read_cpuid_rsp(Bytes(good).first(n), functions).error().code, Errc::truncated) << n;
  }
}

}  // namespace
}  // namespace attestbed::snp
