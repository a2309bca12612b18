// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "guest/sev_guest_device.h"
#include "sim/firmware.h"
#include "sim/make_report.h"
#include "sim/manual_clock.h"
#include "sim/seeded_entropy.h"

// For tests of SevGuestDevice: the kernel under it.
namespace attestbed::guest {

/// Kernel is the driver as its source (sev-guest.c) describes it, over simulated firmware: it checks what it is handed,
/// answers with a real report, and ends a call as a test says.
class Kernel final : public SevGuestPort {
 public:
  /// Outcome is how a call ends: errno and, unless that is 0, exitinfo2 (zero: left as the caller preset it).
  struct Outcome {
    int error = 0;
    std::uint64_t exitinfo2 = 0;
  };

  explicit Kernel(sim::ManualClock& clock) : clock_(clock) {}

  int call(unsigned long request, snp_guest_request_ioctl& argument) override {
    requests.push_back(request);
    EXPECT_EQ(argument.msg_version, 1);
    EXPECT_EQ(argument.exitinfo2, 0xffU) << "preset: the firmware was not called";
    clock_.advance(takes);
    const auto* question = reinterpret_cast<const snp_report_req*>(argument.req_data);
    const bool extended = request == SNP_GET_EXT_REPORT;
    EXPECT_TRUE(extended || request == SNP_GET_REPORT);
    EXPECT_TRUE(std::ranges::all_of(question->rsvd, [](auto octet) { return octet == 0; }));

    const Outcome outcome = requests.size() <= outcomes.size() ? outcomes[requests.size() - 1] : Outcome{};
    if (outcome.error != 0) {
      if (outcome.exitinfo2 != 0) argument.exitinfo2 = outcome.exitinfo2;
      return outcome.error;
    }
    if (extended) write_certs(*reinterpret_cast<const snp_ext_report_req*>(argument.req_data));
    if (silent) return 0;
    write_report(*question, *reinterpret_cast<snp_report_resp*>(argument.resp_data));
    return 0;
  }

  static const sim::Machine& machine() {
    static const sim::Machine instance = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(
        *sim::CertificateAuthority::of_default_seed(snp::Product::milan)));
    return instance;
  }

  std::vector<Outcome> outcomes;  // of the calls, in order; after the last, success
  std::vector<std::uint8_t> table;
  std::function<void(snp::MsgReportRsp&)> change = [](auto&) {};
  bool silent = false;  // success, and nothing written
  std::chrono::nanoseconds takes{0};
  std::vector<unsigned long> requests;

 private:
  static const sim::GuestContext& context() {
    static const sim::GuestContext instance = [] {
      sim::SeededEntropy entropy(1, "sev-guest device test");
      auto launch = sim::Launch::start(machine(), sim::kDefaultPolicy, entropy);
      if (!launch || !launch->update({sim::PageType::zero, 0x1000, {}, {}})) throw std::runtime_error("launch");
      return (*std::move(launch)).finish(sim::HostData{1, 2, 3});
    }();
    return instance;
  }
  void write_certs(const snp_ext_report_req& question) {
    ASSERT_EQ(question.certs_len, 0x4000U);
    ASSERT_NE(question.certs_address, 0U);
    ASSERT_LE(table.size(), question.certs_len);
    // data() of no octets may be null, which memcpy must not see.
    if (!table.empty()) std::memcpy(reinterpret_cast<void*>(question.certs_address), table.data(), table.size());
  }
  void write_report(const snp_report_req& question, snp_report_resp& response) {
    snp::ReportData report_data;
    std::memcpy(report_data.data(), question.user_data, report_data.size());
    snp::MsgReportRsp answer{};
    answer.report_size = snp::kReportBytes;
    answer.report = *sim::make_report(machine(), context(), {.vmpl = question.vmpl, .report_data = report_data});
    change(answer);
    std::memcpy(response.data, &answer, sizeof answer);
  }

  sim::ManualClock& clock_;
};

class SevGuestDeviceTest : public testing::Test {
 protected:
  Result<Evidence> report(std::uint32_t vmpl = 0) {
    SevGuestDevice device(kernel_, clock_, *pages_, vmpl);
    return device.report(kReportData, clock_.now() + std::chrono::seconds(60));
  }
  static constexpr snp::ReportData kReportData{0xab, 0xcd, 0xef};
  sim::ManualClock clock_;
  Kernel kernel_{clock_};
  std::unique_ptr<SevGuestPages> pages_ = std::make_unique<SevGuestPages>();
};

}  // namespace attestbed::guest
