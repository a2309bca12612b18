// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/snp/guest_channel.h"
#include "sim/firmware.h"
#include "sim/hypervisor.h"
#include "sim/make_report.h"
#include "sim/manual_clock.h"
#include "sim/sealing_port.h"
#include "sim/seeded_entropy.h"

// The guest's side is the product's: core/snp/guest_channel over the simulated host and firmware.
namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

/// RecordingPort keeps every page that passes towards the host.
class RecordingPort final : public snp::GuestRequestPort {
 public:
  explicit RecordingPort(snp::GuestRequestPort& next) : next_(next) {}
  Result<snp::GuestRequestExit> call(const snp::Page& request, snp::Page& reply, Deadline until) override {
    seen.push_back(request);
    return next_.call(request, reply, until);
  }
  std::vector<snp::Page> seen;

 private:
  snp::GuestRequestPort& next_;
};

class GuestAndFirmware : public testing::Test {
 protected:
  static Machine machine() {
    static const auto authority =
        std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(snp::Product::milan));
    return Machine::of(authority);
  }
  GuestAndFirmware() {
    SeededEntropy entropy(3, "e2e");
    auto launch = Launch::start(machine(), kDefaultPolicy, entropy);
    firmware_.emplace(machine(), (*std::move(launch)).finish({}));
  }
  void plan(FaultPlan faults, snp::GuestChannel::Options options = {}) {
    host_.emplace(*firmware_, HostConfig{.faults = std::move(faults)}, clock_);
    port_.emplace(*host_);
    const snp::Page secrets = firmware_->guest().secrets_page(machine());
    auto key = snp::vmpck_from_secrets_page(secrets, options.vmpck_number);
    ASSERT_TRUE(key);
    channel_.emplace(*std::move(key), *port_, clock_, pages_, options);
  }
  Result<Evidence> report() { return channel_->report(data_, clock_.now() + 10s); }

  ManualClock clock_;
  std::optional<Firmware> firmware_;
  std::optional<Hypervisor> host_;
  std::optional<RecordingPort> port_;
  snp::ChannelPages pages_;
  std::optional<snp::GuestChannel> channel_;
  snp::ReportData data_{1, 2, 3};
};

TEST_F(GuestAndFirmware, ReportsComeOneAfterTheOther) {
  plan({});
  for (int i = 0; i < 3; ++i) {
    data_[0] = static_cast<std::uint8_t>(i);
    const auto evidence = report();
    ASSERT_TRUE(evidence) << error_name(evidence.error().code);
    EXPECT_EQ(evidence->report.report_data, data_);
  }
  EXPECT_EQ(firmware_->guest().message_count[0], 6U);
}

TEST_F(GuestAndFirmware, BusyIsAnsweredWithTheSameCiphertext) {
  plan({{1, false, FaultKind::busy, {}}, {2, false, FaultKind::busy, {}}});
  ASSERT_TRUE(report());
  ASSERT_EQ(port_->seen.size(), 3U);
  EXPECT_EQ(port_->seen[0], port_->seen[1]);
  EXPECT_EQ(port_->seen[0], port_->seen[2]);
}

TEST_F(GuestAndFirmware, KeysTimeAndProcessorShareTheReportsCounter) {
  plan({});
  const Deadline until = clock_.now() + 10s;
  snp::MsgKeyReq2 version_2{};
  const auto key_1 = channel_->derived_key(version_2.base, until);
  const auto key_2 = channel_->derived_key(version_2, until);
  ASSERT_TRUE(key_1 && key_2);
  EXPECT_TRUE(equal_ct(key_1->expose(), key_2->expose())) << "both versions ask for the same";
  version_2.base.guest_field_select = snp::kKeyFieldLaunchMitVector;
  const auto other = channel_->derived_key(version_2, until);
  ASSERT_TRUE(other);
  EXPECT_FALSE(equal_ct(other->expose(), key_2->expose()));
  EXPECT_EQ(channel_->derived_key(version_2.base, until).error().code, Errc::firmware_status)
      << "version 1 has no such field";

  const auto tsc = channel_->tsc_info(until);
  ASSERT_TRUE(tsc);
  EXPECT_EQ(tsc->factor, 200U);

  std::vector<snp::CpuidFunction> functions(snp::kMaxCpuidFunctions);
  functions[63].eax_in = 1;
  ASSERT_TRUE(channel_->cpuid(functions, until));
  EXPECT_EQ(functions[63].eax, 0x00a00f11U) << "CPUID 1 EAX of a Milan B1";
  functions.emplace_back();
  EXPECT_EQ(channel_->cpuid(functions, until).error().code, Errc::too_large);
  ASSERT_TRUE(report()) << "which was not asked, so it cost nothing";
  EXPECT_EQ(firmware_->guest().message_count[0], 14U) << "seven exchanges, of which one was refused";
}

struct BadHost {
  const char* name;
  Fault fault;
  Errc expected;
};
class BadHosts : public GuestAndFirmware, public testing::WithParamInterface<BadHost> {};

TEST_P(BadHosts, CostTheGuestItsKeyWithAReason) {
  plan({GetParam().fault});
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, GetParam().expected) << error_name(evidence.error().code);
  EXPECT_FALSE(channel_->usable());
  EXPECT_EQ(report().error().code, Errc::vmpck_lost);
}
INSTANTIATE_TEST_SUITE_P(
    Faults, BadHosts,
    testing::Values(BadHost{"BusyForever", {1, true, FaultKind::busy, {}}, Errc::firmware_busy},
                    BadHost{"Status", {1, false, FaultKind::firmware_status, 0x16}, Errc::firmware_refused},
                    BadHost{"TagFlipped", {1, false, FaultKind::flip_bit, 0}, Errc::firmware_reply},
                    BadHost{"SeqnoFlipped", {1, false, FaultKind::flip_bit, 0x20 * 8}, Errc::firmware_reply},
                    BadHost{"PayloadFlipped", {1, false, FaultKind::flip_bit, 0x200 * 8}, Errc::firmware_reply},
                    BadHost{"WrongPage", {1, false, FaultKind::wrong_page, {}}, Errc::firmware_reply},
                    BadHost{"Silence", {1, false, FaultKind::silence, {}}, Errc::firmware_unreachable}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(GuestAndFirmware, AnEarlierReplyIsRefused) {
  plan({{2, false, FaultKind::wrong_page, {}}});
  ASSERT_TRUE(report());
  EXPECT_EQ(report().error().code, Errc::firmware_reply);
}

TEST_F(GuestAndFirmware, AStatusInTheReplyLeavesTheKeyUsable) {
  plan({}, {.vmpck_number = 0, .vmpl = 0, .key_sel = snp::kKeySelVlek});
  const auto refused = report();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::firmware_status);
  EXPECT_EQ(refused.error().found, 0x27U);
  EXPECT_TRUE(channel_->usable());
  EXPECT_EQ(report().error().code, Errc::firmware_status) << "and the counters are still in step";
}

TEST_F(GuestAndFirmware, ALowerVmplThanTheKeysIsRefused) {
  plan({}, {.vmpck_number = 2, .vmpl = 1});
  const auto refused = report();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().found, 0x16U);
}

TEST(SealingPort, DeliversAnyPlaintextToTheParser) {
  ManualClock clock;
  const ByteArray<32> key_octets{9, 9, 9};
  const snp::Vmpck key(key_octets);
  snp::MsgReportRsp rsp{};
  rsp.report_size = 1184;
  rsp.report.version = 3;
  const Bytes whole(reinterpret_cast<const std::uint8_t*>(&rsp), sizeof rsp);
  for (const std::size_t size : {std::size_t{1}, whole.size() - 1, whole.size()}) {
    SealingPort port(key, whole.first(size));
    snp::ChannelPages pages;
    snp::GuestChannel channel(snp::Vmpck(key_octets), port, clock, pages, {});
    const auto evidence = channel.report({}, clock.now() + 1s);
    EXPECT_EQ(evidence.has_value(), size == whole.size()) << size;
  }
}

// OpenSSL's own program judges what we made: chain and report signature.
class OpensslProgram : public GuestAndFirmware, public testing::WithParamInterface<snp::Product> {
 protected:
  OpensslProgram() {
    char name[] = "/tmp/attestbed-openssl-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~OpensslProgram() override { std::filesystem::remove_all(directory_); }

  std::string run(const std::string& arguments) const {
    const std::string command = "cd " + directory_ + " && openssl " + arguments + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string output;
    char buffer[256];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
    return output + "exit " + std::to_string(::pclose(pipe));
  }
  void write(const std::string& name, Bytes octets) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text_of(octets);
  }
  std::string directory_;
};

TEST_P(OpensslProgram, AcceptsChainAndReport) {
  const auto authority =
      std::make_shared<const CertificateAuthority>(*CertificateAuthority::of_default_seed(GetParam()));
  ASSERT_TRUE(authority->save(directory_));
  EXPECT_EQ(run("verify -attime 1767225600 -CAfile ark.pem -untrusted ask.pem vcek.pem"), "vcek.pem: OK\nexit 0");

  const Machine host = Machine::of(authority);
  SeededEntropy entropy(3, "e2e");
  auto launch = Launch::start(host, kDefaultPolicy, entropy);
  const auto report = make_report(host, (*std::move(launch)).finish({}), {.report_data = data_});
  ASSERT_TRUE(report);
  write("signed.bin", octets_of(*report).first(0x2a0));
  // A DER signature from the little-endian fields.
  const auto integer = [](const std::uint8_t* little_endian) {
    Der content(std::make_reverse_iterator(little_endian + 48), std::make_reverse_iterator(little_endian));
    content.insert(content.begin(), 0);
    while (content.size() > 1 && content[0] == 0 && (content[1] & 0x80) == 0) content.erase(content.begin());
    return der_value(0x02, {content});
  };
  write("signature.der", der_sequence({integer(report->signature.r), integer(report->signature.s)}));
  EXPECT_EQ(run("x509 -in vcek.pem -noout -pubkey -out vcek.pub"), "exit 0");
  EXPECT_EQ(run("dgst -sha384 -verify vcek.pub -signature signature.der signed.bin"), "Verified OK\nexit 0");

  auto changed = *report;
  changed.measurement[0] ^= 1;
  write("signed.bin", octets_of(changed).first(0x2a0));
  EXPECT_NE(run("dgst -sha384 -verify vcek.pub -signature signature.der signed.bin").find("Verification failure"),
            std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Products, OpensslProgram, testing::Values(snp::Product::milan, snp::Product::genoa),
                         [](const auto& test) { return std::string(snp::product_name(test.param)); });

}  // namespace
}  // namespace attestbed::sim
