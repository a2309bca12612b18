// SPDX-License-Identifier: Apache-2.0
// The guest library over the 16550 model in this process; firmware, broker and proxy are real processes.
#include "tests/hostile_host.h"
#include "tests/programs.h"
#include "tools/attestbed/run_uart.h"

#include <sys/eventfd.h>

namespace attestbed::programs {
namespace {

class UartProcess : public ProgramTest {
 protected:
  tools::UartGuest told() const {
    return {.proxy_socket = file("proxy.sock"),
            .firmware_socket = file("firmware.sock"),
            .resource = "default/sample/test",
            .vmpl = 0,
            .timeout = std::chrono::seconds(60),
            .secret_file = file("released"),
            .report_file = file("report.bin"),
            .stop_fd = -1};
  }
};

TEST_F(UartProcess, ReleasesThroughTheRealProxyAndCounts) {
  start_machine();
  start_broker(measurement_);
  start_proxy(url_);
  const tools::UartGuestEnd end = tools::run_uart_guest(told(), clock_);
  ASSERT_EQ(end.exit.text(), "exit 0") << end.words << end.result;
  EXPECT_EQ(read(file("released")), kSecretText);
  EXPECT_EQ(read(file("report.bin")).value_or("").size(), 1184U);
  const nlohmann::json result = nlohmann::json::parse(end.result);
  EXPECT_EQ(result["outcome"], "released");
  EXPECT_EQ(result["exit"], 0);
  EXPECT_EQ(result["frames"].size(), 4U);
  const nlohmann::json& uart = result["uart"];
  EXPECT_GT(uart["accesses"], 0);
  EXPECT_GT(uart["intercepted"], 0);
  std::uint64_t octets = 0;
  for (const auto& frame : result["frames"]) octets += frame["octets"].get<std::uint64_t>();
  EXPECT_EQ(uart["octets"], octets);
  EXPECT_EQ(uart["tx_overruns"], 0);
  EXPECT_EQ(uart["rx_overruns"], 0);
}

TEST_F(UartProcess, ARefusalIsTheGuestsExit) {
  start_machine();
  start_broker(kOtherMeasurement);
  start_proxy(url_);
  const tools::UartGuestEnd end = tools::run_uart_guest(told(), clock_);
  EXPECT_EQ(end.exit.text(), "exit 1") << end.result;
  EXPECT_EQ(nlohmann::json::parse(end.result)["outcome"], "refused");
  EXPECT_FALSE(end.words.empty());
  EXPECT_FALSE(read(file("released")));
}

TEST_F(UartProcess, WithoutAProxyThereIsALineOfWordsAndAnExit) {
  const tools::UartGuestEnd end = tools::run_uart_guest(told(), clock_);
  EXPECT_EQ(end.exit.text(), "exit 3");
  EXPECT_EQ(nlohmann::json::parse(end.result)["code"], "transport");
}

TEST_F(UartProcess, StopsWhenTold) {
  const posix::Fd stop(::eventfd(1, EFD_CLOEXEC));
  start_machine();
  start_broker(measurement_);
  start_proxy(url_);
  tools::UartGuest guest = told();
  guest.stop_fd = stop.get();
  const tools::UartGuestEnd end = tools::run_uart_guest(guest, clock_);
  EXPECT_EQ(end.exit.text(), "exit 3");
  EXPECT_EQ(nlohmann::json::parse(end.result)["code"], "uart_absent");
}

class UartHostileHost : public UartProcess, public testing::WithParamInterface<HostCase> {};

TEST_P(UartHostileHost, EndsTheGuestWithItsCode) {
  start_machine();
  const Host host(file("proxy.sock"), GetParam());
  ASSERT_TRUE(host.ready());
  tools::UartGuest guest = told();
  // A 16550 does not tell that nobody is there any more.
  const bool runs_out = GetParam().runs_out() || GetParam().then == HostCase::Then::close;
  guest.timeout = std::chrono::seconds(runs_out ? 8 : 60);
  const tools::UartGuestEnd end = tools::run_uart_guest(guest, clock_);
  EXPECT_EQ(end.exit.text(), "exit " + std::to_string(runs_out ? 3 : GetParam().exit)) << end.words;
  EXPECT_EQ(nlohmann::json::parse(end.result)["code"], runs_out ? "deadline" : GetParam().code) << end.result;
  EXPECT_FALSE(read(file("released")));
}

INSTANTIATE_TEST_SUITE_P(Answers, UartHostileHost, testing::ValuesIn(host_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace attestbed::programs
