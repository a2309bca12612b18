// SPDX-License-Identifier: Apache-2.0
// attest-guest as a process, against real parts that are fine, misconfigured, broken or gone.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "tests/programs.h"

namespace attestbed::programs {
namespace {

class GuestProcess : public ProgramTest {
 protected:
  void start_all() {
    start_machine();
    start_broker(measurement_);
    start_proxy(url_);
  }
};

TEST_F(GuestProcess, WritesTheSecretToAPrivateFileAndSaysSo) {
  start_all();
  const Finished guest = this->guest({"--out", file("key"), "--report", file("report.bin")});
  ASSERT_EQ(guest.exit.text(), "exit 0") << guest.err;
  EXPECT_EQ(read(file("key")), kSecretText);
  struct stat info {};
  ASSERT_EQ(::stat(file("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(read(file("report.bin")).value_or("").size(), 1184U);
  const nlohmann::json json = guest.json();
  EXPECT_EQ(json["outcome"], "released");
  EXPECT_EQ(json["authenticated"], false);
  EXPECT_EQ(json["secret"]["kept_in"], file("key"));
  EXPECT_EQ(json["secret"]["octets"], 28);
  EXPECT_EQ(guest.out.find(kSecretDigest), std::string::npos) << guest.out;
}

TEST_F(GuestProcess, WritesTheSecretToStandardOutputOnlyWhenAsked) {
  start_all();
  const std::vector<std::string> flags = {
      "--unix", file("proxy.sock"), "--firmware", "unix:" + file("firmware.sock"), "--secret-auth", "none"};
  std::vector<std::string> asked = flags;
  asked.push_back("--stdout");
  EXPECT_EQ(run("attest-guest", asked).out, kSecretText);
  const Finished silent = run("attest-guest", flags);
  EXPECT_EQ(silent.exit.text(), "exit 0");
  EXPECT_EQ(silent.out.find(kSecretText), std::string::npos);
  EXPECT_NE(silent.out.find(": 28 octets, "), std::string::npos) << silent.out;
  EXPECT_NE(silent.out.find("dropped (no --out, no --stdout)"), std::string::npos) << silent.out;
}

TEST_F(GuestProcess, AnUnknownMeasurementIsRefusedAndTheBrokerAloneSaysWhy) {
  start_machine();
  start_broker(kOtherMeasurement);
  start_proxy(url_);
  const Finished guest = this->guest({"--out", file("key")});
  EXPECT_EQ(guest.exit.text(), "exit 1");
  const nlohmann::json json = guest.json();
  EXPECT_EQ(json["outcome"], "refused");
  EXPECT_EQ(json["code"], "attestation_refused");
  EXPECT_EQ(json["secret"], nullptr);
  EXPECT_FALSE(read(file("key")));
  EXPECT_EQ(guest.out.find("measurement_unknown"), std::string::npos);

  for (const char* part : {"attest-proxy", "mock-kbs"}) children_->end(child(part));
  const auto refused = events("attest-proxy", "refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0]["code"], "attestation_refused");
  EXPECT_EQ(refused[0]["attestation"], json["attestation"]);
  const auto requests = events("mock-kbs", "request");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1]["code"], "measurement_unknown");
  EXPECT_EQ(requests[1]["found"], measurement_);
  EXPECT_EQ(requests[1]["attestation"], json["attestation"]);
}

TEST_F(GuestProcess, AResourceThatTheProxyDoesNotAllowIsRefused) {
  start_all();
  const Finished guest = this->guest({"--resource", "default/other/key"});
  EXPECT_EQ(guest.exit.text(), "exit 1");
  EXPECT_EQ(guest.json()["code"], "resource_refused");
  EXPECT_EQ(guest.json()["terms"]["resource"], "default/other/key");
}

TEST_F(GuestProcess, ABrokerThatIsGoneIsATransportFailure) {
  start_all();
  children_->end(child("mock-kbs"));
  const Finished guest = this->guest();
  EXPECT_EQ(guest.exit.text(), "exit 3");
  EXPECT_EQ(guest.json()["outcome"], "failed");
  EXPECT_EQ(guest.json()["code"], "broker_unreachable");
}

TEST_F(GuestProcess, AProxyThatWasKilledIsATransportFailure) {
  start_all();
  children_->end(child("attest-proxy"), std::chrono::nanoseconds(0));
  const Finished guest = this->guest();
  EXPECT_EQ(guest.exit.text(), "exit 3");
  EXPECT_EQ(guest.json()["code"], "transport");
  EXPECT_EQ(guest.json()["phases"], nlohmann::json::array());
}

TEST_F(GuestProcess, FirmwareThatIsAbsentIsAFirmwareFailure) {
  start_machine();
  start_proxy("http://127.0.0.1:9");
  children_->end(child("snp-sim"));
  const Finished guest = this->guest();
  EXPECT_EQ(guest.exit.text(), "exit 4");
  EXPECT_EQ(guest.json()["code"], "firmware_unreachable");
  EXPECT_EQ(guest.json()["field"], "--firmware");
}

class GuestWithCertificates : public GuestProcess {
 protected:
  /// start_all brings up a broker that has a root and no certificates below it.
  void start_all(const std::vector<std::string>& machine_options) {
    start_machine(machine_options);
    write("secret", kSecretText);
    start_proxy(start_ready("mock-kbs", {"--listen", "127.0.0.1:0", "--root", file("certs/ark.pem"), "--measurement",
                                         measurement_, "--secret-file", file("secret")}));
  }
  /// refusals are the codes with which the broker refused evidence.
  std::vector<std::string> refusals() {
    children_->end(child("mock-kbs"));
    std::vector<std::string> codes;
    for (const nlohmann::json& request : events("mock-kbs", "request")) {
      if (request.contains("code")) codes.push_back(request["code"]);
    }
    return codes;
  }
};

TEST_F(GuestWithCertificates, TheHostsTableReachesABrokerThatHasNone) {
  start_all({});
  EXPECT_EQ(guest().json()["code"], "attestation_refused");
  const Finished certified = guest({"--certs", "--out", file("key")});
  EXPECT_EQ(certified.exit.text(), "exit 0") << certified.err;
  EXPECT_EQ(read(file("key")), kSecretText);
  EXPECT_EQ(refusals(), std::vector<std::string>{"certificate_missing"});
}

TEST_F(GuestWithCertificates, AVlekComesWithItsOwnIntermediate) {
  start_all({"--load-vlek"});
  EXPECT_EQ(guest({"--certs"}).exit.text(), "exit 0");
}

TEST_F(GuestWithCertificates, AHostThatHasNoneOrWantsMoreRoomCostsNoReport) {
  start_all({"--no-certs"});
  EXPECT_EQ(guest({"--certs"}).json()["code"], "attestation_refused");
  children_->end(child("snp-sim"));
  start_machine({"--fault", "1:invalid_len:4", "--force"});
  EXPECT_EQ(guest({"--certs"}).json()["code"], "attestation_refused") << "a report went out, and no table";
  EXPECT_EQ(refusals(), (std::vector<std::string>{"certificate_missing", "certificate_missing"}));
}

struct FirmwareCase {
  const char* name;
  const char* fault;
  const char* code;
  const char* seconds;  // few only where the guest must run into its deadline, and enough to get so far
};

class GuestWithFaultyFirmware : public GuestProcess, public testing::WithParamInterface<FirmwareCase> {};

TEST_P(GuestWithFaultyFirmware, ExitsFourWithTheCode) {
  start_machine({"--fault", GetParam().fault});
  start_broker(measurement_);
  start_proxy(url_);
  const Finished guest = this->guest({"--timeout", GetParam().seconds});
  EXPECT_EQ(guest.exit.text(), "exit 4") << guest.err;
  EXPECT_EQ(guest.json()["code"], GetParam().code);
  EXPECT_EQ(guest.json()["phases"].back()["name"], "negotiated");
}

INSTANTIATE_TEST_SUITE_P(Faults, GuestWithFaultyFirmware,
                         testing::Values(FirmwareCase{"BusyForEver", "1+:busy", "firmware_busy", "8"},
                                         FirmwareCase{"Refuses", "1:firmware_status:22", "firmware_refused", "60"},
                                         FirmwareCase{"ChangedReply", "1:flip_bit:4000", "firmware_reply", "60"},
                                         FirmwareCase{"Silent", "1:silence", "firmware_unreachable", "8"}),
                         [](const auto& test) { return test.param.name; });

struct UsageCase {
  const char* name;
  std::vector<std::string> args;
  const char* says;
};

class GuestUsage : public ProgramTest, public testing::WithParamInterface<UsageCase> {};

TEST_P(GuestUsage, IsRefusedInOneLine) {
  const Finished guest = run("attest-guest", GetParam().args);
  EXPECT_EQ(guest.exit.text(), "exit 2");
  EXPECT_EQ(guest.out, "");
  EXPECT_NE(guest.err.find(GetParam().says), std::string::npos) << guest.err;
  EXPECT_EQ(std::count(guest.err.begin(), guest.err.end(), '\n'), 1) << guest.err;
}

std::vector<std::string> with(std::vector<std::string> more) {
  std::vector<std::string> args = {"--unix", "/nonexistent/p", "--firmware", "unix:/nonexistent/f", "--secret-auth",
                                   "none"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

INSTANTIATE_TEST_SUITE_P(
    Flags, GuestUsage,
    testing::Values(
        UsageCase{"NothingAtAll", {}, "--firmware is required"},
        UsageCase{"NoLine", {"--firmware", "unix:/f", "--secret-auth", "none"}, "no line to the proxy: give one of"},
        UsageCase{"TwoLines", with({"--serial", "/dev/ttyS2"}), "more than one line to the proxy"},
        UsageCase{"VsockWithoutPort", {"--vsock", "2", "--firmware", "unix:/f", "--secret-auth", "none"}, "CID:PORT"},
        UsageCase{"VsockWildcard", {"--vsock", "4294967295:1995", "--firmware", "unix:/f"}, "CID:PORT"},
        UsageCase{"VsockTrailing", {"--vsock", "2:1995x", "--firmware", "unix:/f"}, "CID:PORT"},
        UsageCase{"EmptySerial", {"--serial", "", "--firmware", "unix:/f"}, "--serial"},
        UsageCase{"NoSecretAuth", {"--unix", "/p", "--firmware", "unix:/f"}, "--secret-auth is missing"},
        UsageCase{"UnknownSecretAuth", {"--unix", "/p", "--firmware", "unix:/f", "--secret-auth", "owner"}, "'owner'"},
        UsageCase{"FirmwareScheme", {"--unix", "/p", "--firmware", "/f", "--secret-auth", "none"}, "'unix:PATH'"},
        UsageCase{"EmptyFirmware", {"--unix", "/p", "--firmware", "unix:", "--secret-auth", "none"}, "'unix:PATH'"},
        UsageCase{
            "EmptyDevice", {"--unix", "/p", "--firmware", "sev-guest:", "--secret-auth", "none"}, "sev-guest[:DEVICE]"},
        UsageCase{"ResourceClimbs", with({"--resource", "a/../b"}), "three parts"},
        UsageCase{"TimeoutZero", with({"--timeout", "0"}), "--timeout"},
        UsageCase{"TimeoutText", with({"--timeout", "soon"}), "--timeout"},
        UsageCase{"VmplFour", with({"--vmpl", "4"}), "--vmpl"},
        UsageCase{"JsonAndStdout", with({"--json", "--stdout"}), "excludes"},
        UsageCase{"OutAndStdout", with({"--out", "/x", "--stdout"}), "excludes"},
        UsageCase{"UnknownFlag", with({"--insecure"}), "--insecure"}),
    [](const auto& test) { return test.param.name; });

TEST_F(GuestProcess, AMachineWithoutTheKernelsDeviceSaysSo) {
  const Finished guest = run("attest-guest", {"--unix", "/nonexistent/p", "--firmware",
                                              "sev-guest:/nonexistent/sev-guest", "--secret-auth", "none", "--json"});
  EXPECT_EQ(guest.exit.text(), "exit 4");
  EXPECT_EQ(guest.json()["code"], "firmware_unreachable");
  EXPECT_EQ(guest.json()["found"], ENOENT);
  EXPECT_EQ(guest.json()["simulated_firmware"], false);
}

TEST_F(GuestProcess, AFileThatCannotBeWrittenIsFoundBeforeAnybodyIsAsked) {
  const Finished guest = this->guest({"--out", file("absent/key")});
  EXPECT_EQ(guest.exit.text(), "exit 3");
  EXPECT_EQ(guest.json()["code"], "io_failed");
  EXPECT_EQ(guest.json()["field"], "--out");
}

TEST_F(GuestProcess, HelpAndVersionAreNoErrors) {
  const Finished help = run("attest-guest", {"--help"});
  EXPECT_EQ(help.exit.text(), "exit 0");
  EXPECT_NE(help.out.find("Exit status: 0 released"), std::string::npos);
  EXPECT_EQ(run("attest-guest", {"--version"}).exit.text(), "exit 0");
}

}  // namespace
}  // namespace attestbed::programs
