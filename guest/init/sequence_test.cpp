// SPDX-License-Identifier: Apache-2.0
#include "guest/init/sequence.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;

/// FakeMachine is a kernel that does as it is told and remembers what it was asked. Every question takes a millisecond.
class FakeMachine final : public Machine {
 public:
  std::map<std::string, std::string> files{{"/proc/cmdline", "console=ttyS0 attest.secret_auth=none\n"}};
  bool snp = false;
  std::string failing;  // the step that fails
  Attempted outcome = released();
  std::vector<std::string> asked, console;
  std::optional<std::uint16_t> leaving_port;

  static Attempted released() {
    Attempted attempted;
    attempted.summary.connected = Instant(2ms);
    attempted.summary.trace.reached = AttestStep::opened;
    attempted.summary.trace.at.fill(Instant(3ms));
    attempted.summary.secret = SecretFacts{.octets = 12};
    attempted.first_frame = 7ms;
    return attempted;
  }

  void say(std::string_view line) override { console.emplace_back(line); }
  std::chrono::nanoseconds since_boot() override { return ticks_ += 1ms; }
  Instant now() override { return Instant(4ms); }
  std::uint64_t peak_rss_kib() override { return 4096; }
  Outcome<void> mount(FileSystem which) override {
    static constexpr const char* kNames[] = {"proc", "sys", "dev", "run", "configfs"};
    return step(std::string("mount ") + kNames[static_cast<std::size_t>(which)]);
  }
  Result<std::string> read(const std::string& path, std::size_t max) override {
    asked.push_back("read " + path);
    const auto file = files.find(path);
    if (file == files.end()) return Error{Errc::io_failed, "open", ENOENT};
    if (file->second.size() > max) return Error{Errc::too_large, "file", file->second.size(), max};
    return file->second;
  }
  Outcome<void> load_module(const std::string& name) override { return step("load " + name); }
  bool is_snp_guest() override { return snp; }
  void leaves_by(std::optional<std::uint16_t> debug_exit) override { leaving_port = debug_exit; }
  Outcome<void> start_device(FirmwareWord::Type type) override {
    return step(type == FirmwareWord::Type::simulated ? "device" : "device inside");
  }
  void stop_device() override { asked.emplace_back("stop device"); }
  Attempted attempt(const Words&) override {
    asked.emplace_back("attempt");
    return outcome;
  }
  Failure become(const NextWord& next) override {
    asked.push_back("become " + next.init);
    return {{Errc::io_failed, "execve", ENOENT}, next.init + ": cannot be run", "add it"};
  }

  std::string line_starting(std::string_view prefix) const {
    for (const std::string& line : console) {
      if (line.starts_with(prefix)) return line;
    }
    return {};
  }
  nlohmann::json result() const { return nlohmann::json::parse(line_starting("result ").substr(7)); }

 private:
  Outcome<void> step(const std::string& name) {
    asked.push_back(name);
    if (name != failing) return {};
    return Failure{{Errc::io_failed, "step", EPERM}, name + " failed", "do something"};
  }

  std::chrono::nanoseconds ticks_{};
};

TEST(Sequence, APlainStartAsksForNoMoreThanItNeeds) {
  FakeMachine machine;
  const Ending ending = run_sequence(machine, "1.2.3");
  EXPECT_EQ(ending.exit, 0);
  EXPECT_FALSE(ending.debug_exit);
  const std::vector<std::string> asked{"mount proc",
                                       "read /etc/attestbed/guest.conf",
                                       "read /proc/cmdline",
                                       "mount sys",
                                       "mount dev",
                                       "mount run",
                                       "read /etc/attestbed/modules",
                                       "attempt",
                                       "stop device"};
  EXPECT_EQ(machine.asked, asked);
  EXPECT_EQ(machine.console.front(), "up 1.2.3, 1.000 ms after the kernel started");
  EXPECT_EQ(machine.line_starting("configuration"),
            "configuration NOT measured: this is no SNP guest, and whoever runs it chose these words");
}

TEST(Sequence, TheResultIsTheSummaryAndWhenItHappened) {
  FakeMachine machine;
  run_sequence(machine, "1");
  const nlohmann::json result = machine.result();
  EXPECT_EQ(result.at("outcome"), "released");
  EXPECT_EQ(result.at("secret").at("octets"), 12);
  const nlohmann::json& boot = result.at("boot");
  EXPECT_EQ(boot.at("kernel_ms"), 1.0);
  EXPECT_EQ(boot.at("first_frame_ms"), 7.0);
  EXPECT_GT(boot.at("init_ms"), boot.at("kernel_ms"));
  EXPECT_GT(boot.at("done_ms"), boot.at("init_ms"));
  EXPECT_EQ(boot.at("peak_rss_kib"), 4096);
  EXPECT_TRUE(machine.console.back().starts_with("released")) << machine.console.back();
}

TEST(Sequence, PhasesCountFromTheStartOfTheKernel) {
  FakeMachine machine;
  run_sequence(machine, "1");
  // since_boot() is 5 ms when the attempt is told of, and the other clock 4 ms: its 3 ms are 4 ms since boot.
  EXPECT_EQ(machine.line_starting("phase connected"), "phase connected 3.000");
  EXPECT_EQ(machine.line_starting("phase opened"), "phase opened 4.000");
}

TEST(Sequence, SimulationIsLoudAndStartsItsDevice) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.firmware=simulated attest.debug_exit=0xf4";
  machine.files["/etc/attestbed/modules"] = "snp sev-guest\nvirtio-serial virtio\nsimulated cuse\nvsock vsock\n";
  const Ending ending = run_sequence(machine, "1");
  EXPECT_EQ(ending.debug_exit, 0xf4);
  EXPECT_EQ(machine.leaving_port, 0xf4);
  EXPECT_TRUE(machine.line_starting("SIMULATED FIRMWARE").size() > 20);
  EXPECT_EQ(machine.result().at("simulated_firmware"), true);
  const std::vector<std::string> end{"load virtio", "load cuse", "device", "attempt", "stop device"};
  EXPECT_EQ(std::vector<std::string>(machine.asked.end() - 5, machine.asked.end()), end);
}

TEST(Sequence, AnSnpGuestLoadsItsDriverAndSaysWhatMustHold) {
  FakeMachine machine;
  machine.snp = true;
  machine.files["/etc/attestbed/modules"] = "snp tsm\nsnp sev-guest\nsimulated cuse\n";
  run_sequence(machine, "1");
  const std::vector<std::string> end{"load tsm", "load sev-guest", "mount configfs", "attempt", "stop device"};
  EXPECT_EQ(std::vector<std::string>(machine.asked.end() - 5, machine.asked.end()), end);
  const std::string line = machine.line_starting("configuration");
  EXPECT_TRUE(line.starts_with("configuration measured only if ")) << line;
  EXPECT_NE(line.find("kernel, initramfs and command line"), std::string::npos);
  EXPECT_NE(line.find("kernel-hashes=on"), std::string::npos);
}

TEST(Sequence, ConfigfsTsmThatWasNamedIsThereOutsideSnpToo) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.firmware=tsm";
  machine.files["/etc/attestbed/modules"] = "snp tsm\nsnp sev-guest\ntsm tsm\n";
  run_sequence(machine, "1");
  const std::vector<std::string> end{"load tsm", "mount configfs", "attempt", "stop device"};
  EXPECT_EQ(std::vector<std::string>(machine.asked.end() - 4, machine.asked.end()), end);
  EXPECT_EQ(std::ranges::count(machine.asked, "load sev-guest"), 0);
}

TEST(Sequence, ASecretForTheHostIsAnnounced) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.secret=port:out";
  run_sequence(machine, "1");
  EXPECT_TRUE(machine.line_starting("THE HOST READS THE SECRET").size() > 20);
}

struct EarlyEnd {
  const char* failing;
  const char* command_line;
  const char* modules;
};
TEST(Sequence, WhateverFailsBeforeTheAttemptEndsItInTwoLines) {
  const EarlyEnd cases[] = {
      {"mount proc", "attest.secret_auth=none", ""},
      {"mount dev", "attest.secret_auth=none", ""},
      {"load virtio", "attest.secret_auth=none attest.transport=virtio-serial", "virtio-serial virtio\n"},
      {"device inside", "attest.secret_auth=none attest.firmware=simulated-inside", ""},
  };
  for (const EarlyEnd& each : cases) {
    FakeMachine machine;
    machine.failing = each.failing;
    machine.files["/proc/cmdline"] = each.command_line;
    machine.files["/etc/attestbed/modules"] = each.modules;
    EXPECT_EQ(run_sequence(machine, "1").exit, 3) << each.failing;
    EXPECT_EQ(std::ranges::count(machine.asked, "attempt"), 0) << each.failing;
    EXPECT_EQ(machine.result().at("code"), "io_failed");
    EXPECT_EQ(machine.result().at("boot").at("init_ms"), nullptr);
    EXPECT_EQ(machine.console.back(), "failed: io_failed: " + std::string(each.failing) + " failed; do something");
  }
}

TEST(Sequence, ABadWordIsAMistakeOfConfiguration) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.debug_exit=0xf4 attest.transprot=com3";
  const Ending ending = run_sequence(machine, "1");
  EXPECT_EQ(ending.exit, 2);
  EXPECT_EQ(ending.debug_exit, 0xf4);
  EXPECT_NE(machine.console.back().find("unknown word 'attest.transprot'"), std::string::npos);
}

TEST(Sequence, AMalformedModuleListOrALongConfigurationIsRefused) {
  FakeMachine machine;
  machine.files["/etc/attestbed/modules"] = "virtio\n";
  EXPECT_EQ(run_sequence(machine, "1").exit, 5);
  FakeMachine other;
  other.files[kGuestConf] = std::string(kMaxWordsBytes + 1, '#');
  EXPECT_NE(run_sequence(other, "1").exit, 0);
  EXPECT_NE(other.console.back().find(kGuestConf), std::string::npos);
}

TEST(Sequence, TheFileOfTheImageCountsToo) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "quiet";
  machine.files[kGuestConf] = "attest.secret_auth=none\nattest.next=exec:/next\n";
  run_sequence(machine, "1");
  EXPECT_EQ(machine.asked.back(), "become /next");
}

TEST(Sequence, ANextProgramThatCannotBeRunEndsTheMachine) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.next=exec:/next";
  EXPECT_EQ(run_sequence(machine, "1").exit, 3);
  EXPECT_EQ(machine.console.back(), "failed: /next: cannot be run; add it");
}

TEST(Sequence, AFailedAttemptHasNoNextProgram) {
  FakeMachine machine;
  machine.files["/proc/cmdline"] = "attest.secret_auth=none attest.next=exec:/next";
  machine.outcome = {};
  machine.outcome.summary.error = Error{Errc::firmware_status, "STATUS", 0x16};
  EXPECT_EQ(run_sequence(machine, "1").exit, 4);
  EXPECT_EQ(machine.asked.back(), "stop device");
  EXPECT_NE(machine.console.back().find("0x16"), std::string::npos) << machine.console.back();
}

}  // namespace
}  // namespace attestbed::guest
