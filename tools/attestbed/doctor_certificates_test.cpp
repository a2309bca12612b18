// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/doctor_certificates.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

using vm::CheckState;

const std::string kCerts = ATTESTBED_SOURCE_DIR "/core/verify/testdata/certs/";
// REPORTED_TCB of the real reports v5-genoa.bin and v5-turin.bin, octets 0x180 to 0x187 read as a little-endian number.
constexpr std::uint64_t kGenoaTcb = 0x541900000000000a, kTurinTcb = 0x4700000002000100;

verify::Time when() {
  return *verify::time_parse("2025-10-01T00:00:00Z");
}
vm::SnpPlatformStatus reporting(std::uint64_t tcb) {
  vm::SnpPlatformStatus status;
  status.reported_tcb = tcb;
  return status;
}

TEST(DoctorCertificates, ARealVcekOfTheReportedTcbIsOk) {
  const auto genoa = check_certificates({kCerts + "v5-genoa.vcek.der"}, reporting(kGenoaTcb), when());
  EXPECT_EQ(genoa.state, CheckState::ok) << genoa.found;
  EXPECT_FALSE(genoa.required);
  const auto turin = check_certificates({kCerts + "v5-turin.vcek.der"}, reporting(kTurinTcb), when());
  EXPECT_EQ(turin.state, CheckState::ok) << turin.found;
}

TEST(DoctorCertificates, OneOfAnotherTcbIsMissing) {
  const auto check = check_certificates({kCerts + "v5-genoa.vcek.der"}, reporting(kGenoaTcb + 1), when());
  EXPECT_EQ(check.state, CheckState::missing);
  EXPECT_NE(check.found.find("another TCB"), std::string::npos) << check.found;
  EXPECT_NE(check.next.find("--kds amd"), std::string::npos) << check.next;
}

TEST(DoctorCertificates, OneThatHasExpiredIsMissing) {
  const auto check = check_certificates({kCerts + "v5-genoa.vcek.der"}, reporting(kGenoaTcb),
                                        *verify::time_parse("2099-01-01T00:00:00Z"));
  EXPECT_EQ(check.state, CheckState::missing);
  EXPECT_NE(check.found.find("chain_expired"), std::string::npos) << check.found;
}

TEST(DoctorCertificates, WithoutFirmwareNobodyCanTell) {
  EXPECT_EQ(check_certificates({kCerts + "v5-genoa.vcek.der"}, std::nullopt, when()).state, CheckState::unknown);
  EXPECT_EQ(check_certificates({}, reporting(kGenoaTcb), when()).state, CheckState::unknown);
}

TEST(DoctorCertificates, AFileThatIsNotThereIsNamed) {
  const auto check = check_certificates({"/no/such/vcek.der"}, reporting(kGenoaTcb), when());
  EXPECT_EQ(check.state, CheckState::missing);
  EXPECT_NE(check.found.find("/no/such/vcek.der"), std::string::npos) << check.found;
}

}  // namespace
}  // namespace attestbed::tools
