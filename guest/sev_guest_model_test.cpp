// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/sev_guest_device.h"
#include "sim/device/driver_fixture.h"
#include "sim/device/ioctl_dialogue.h"
#include "sim/host_certificates.h"

// The guest's end of /dev/sev-guest over the simulated driver, as both are in a virtual machine: what lies between is
// the kernel's copying, here of this process' own memory.
namespace attestbed::guest {
namespace {

using sim::IoctlReply;
using sim::UserRange;

class ModelPort final : public SevGuestPort {
 public:
  explicit ModelPort(sim::SevGuestDriver& driver) : dialogue_(driver) {}

  int call(unsigned long request, snp_guest_request_ioctl& argument) override {
    ++calls;
    std::vector<std::uint8_t> in;
    std::vector<UserRange> out;
    while (true) {
      std::size_t room = 0;
      for (const UserRange& range : out) room += range.size;
      const IoctlReply reply =
          dialogue_.round(static_cast<std::uint32_t>(request), reinterpret_cast<std::uintptr_t>(&argument), in, room);
      if (!reply.again) {
        for (std::size_t i = 0; i < reply.data.size(); ++i) {
          std::memcpy(reinterpret_cast<void*>(out[i].address), reply.data[i].data(), reply.data[i].size());
        }
        dialogue_.forget();
        return reply.error;
      }
      in.clear();
      for (const UserRange& range : reply.in) {
        const auto* from = reinterpret_cast<const std::uint8_t*>(range.address);
        in.insert(in.end(), from, from + range.size);
      }
      out = reply.out;
    }
  }
  int calls = 0;

 private:
  sim::IoctlDialogue dialogue_;
};

class SevGuestModel : public testing::Test {
 protected:
  void start(sim::HostConfig config) {
    under_.emplace(std::move(config));
    port_.emplace(*under_->driver);
    device_.emplace(*port_, under_->clock, *pages_, 0U);
  }
  Result<Evidence> report() { return device_->report(kReportData, under_->clock.now() + std::chrono::seconds(90)); }

  static constexpr snp::ReportData kReportData{0xab, 0xcd};
  std::optional<sim::DriverUnderTest> under_;
  std::optional<ModelPort> port_;
  std::optional<SevGuestDevice> device_;
  std::unique_ptr<SevGuestPages> pages_ = std::make_unique<SevGuestPages>();
};

TEST_F(SevGuestModel, GivesReportsWithCertificates) {
  const auto table = *sim::host_certificates(sim::Machine::of(sim::authority()));
  start({.certificates = table});
  for (int i = 0; i < 3; ++i) {
    const auto evidence = report();
    ASSERT_TRUE(evidence) << error_name(evidence.error().code);
    EXPECT_EQ(evidence->report.report_data, kReportData);
    EXPECT_TRUE(std::ranges::equal(evidence->certs, table));
  }
  EXPECT_EQ(port_->calls, 3);
}

TEST_F(SevGuestModel, GivesReportsWhoseCertificatesHaveNoRoom) {
  start({.certificates = std::vector<std::uint8_t>(0x4001, 1)});
  const auto evidence = report();
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(evidence->certs.empty());
  EXPECT_EQ(port_->calls, 2) << "again without room";
}

TEST_F(SevGuestModel, FailsAsTheKernelDoes) {
  struct Row {
    sim::Fault fault;
    Errc code;
    std::uint64_t found;
  };
  const Row kRows[] = {{{1, true, sim::FaultKind::busy, {}}, Errc::firmware_busy, 2},
                       {{1, false, sim::FaultKind::firmware_status, 0x16}, Errc::firmware_refused, 0x16},
                       {{1, false, sim::FaultKind::flip_bit, 8 * 0x60}, Errc::firmware_reply, EBADMSG},
                       {{1, false, sim::FaultKind::silence, {}}, Errc::firmware_unreachable, EIO}};
  for (const Row& row : kRows) {
    start({.faults = {row.fault}});
    const auto first = report();
    ASSERT_FALSE(first);
    EXPECT_STREQ(error_name(first.error().code), error_name(row.code));
    EXPECT_EQ(first.error().found, row.found);
    EXPECT_EQ(report().error().code, Errc::vmpck_lost) << "after " << sim::fault_text(row.fault);
  }
}

}  // namespace
}  // namespace attestbed::guest
