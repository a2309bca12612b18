// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_uart.h"

#include <poll.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"
#include "guest/attempt.h"
#include "guest/hardening.h"
#include "guest/uart_transport.h"
#include "tools/attestbed/uart_cable.h"

namespace attestbed::tools {
namespace {

/// Once the run shall end, the UART is pulled out: reads yield all ones, and the guest ends with uart_absent.
class PullablePorts final : public guest::PortIo {
 public:
  PullablePorts(sim::UartLine& line, int stop_fd) : ports_(line, guest::kCom3), stop_fd_(stop_fd) {}
  std::uint8_t in(std::uint16_t port) override { return pulled() ? std::uint8_t{0xff} : ports_.in(port); }
  void out(std::uint16_t port, std::uint8_t value) override { ports_.out(port, value); }
  void in_string(std::uint16_t port, MutBytes into) override { ports_.in_string(port, into); }
  void out_string(std::uint16_t port, Bytes from) override { ports_.out_string(port, from); }

 private:
  bool pulled() const {
    pollfd stop{stop_fd_, POLLIN, 0};
    return stop_fd_ >= 0 && poll(&stop, 1, 0) > 0;
  }

  guest::DevicePorts<sim::UartLine> ports_;
  const int stop_fd_;
};

Result<guest::Options> options_of(const UartGuest& told) {
  guest::Options options;
  options.firmware = {guest::FirmwareAddress::Kind::unix_socket, told.firmware_socket};
  options.config.terms.resource = TRY(protocol::ResourcePath::parse(told.resource, "--resource"));
  options.config.terms.binding = told.binding;
  options.config.terms.key = told.key;
  options.config.budget = told.timeout;
  options.config.secret_auth = SecretAuth::none;  // what `attestbed run` has its guests be told
  options.vmpl = told.vmpl;
  options.key_progress = told.key_progress;
  options.out_file = told.secret_file;
  options.report_file = told.report_file;
  return options;
}

guest::Summary failed(const guest::Options& options, Instant began, const Error& error) {
  guest::Summary summary;
  summary.terms = options.config.terms;
  summary.started = began;
  summary.error = error;
  return summary;
}

guest::Summary attempt(const UartGuest& told, const guest::Options& options, sim::UartLine& line, Clock& clock) {
  const Instant began = clock.now();
  Result<posix::Fd> proxy = posix::connect_unix(told.proxy_socket, clock, began + told.timeout);
  if (!proxy) return failed(options, began, proxy.error());
  const UartCable cable(line, *std::move(proxy), clock);

  PullablePorts ports(line, told.stop_fd);
  Result<guest::UartTransport> uart = guest::UartTransport::open(ports, guest::kCom3, clock);
  if (!uart) return failed(options, began, uart.error());
  posix::KernelEntropy entropy;
  const auto memory = std::make_unique<guest::Memory>();
  guest::keep_out_of_swap({reinterpret_cast<const std::uint8_t*>(memory.get()), sizeof *memory});
  return guest::run_attempt_over(*uart, LineKind::serial, options, clock, entropy, *memory);
}

nlohmann::ordered_json counts_json(const sim::UartCounts& counts) {
  return {{"accesses", counts.accesses},
          {"intercepted", counts.intercepted},
          {"idle_polls", counts.idle_polls},
          {"octets", counts.sent + counts.received},
          {"intercepted_per_octet", counts.per_octet()},
          {"tx_overruns", counts.tx_overruns},
          {"rx_overruns", counts.rx_overruns}};
}

}  // namespace

std::string uart_line_for_people(const sim::UartCounts& counts) {
  char text[256];
  std::snprintf(text, sizeof text,
                "16550: %llu octets, %llu register accesses, %llu intercepted instructions (%.3f per octet), and %llu "
                "polls that found nothing",
                static_cast<unsigned long long>(counts.sent + counts.received),
                static_cast<unsigned long long>(counts.accesses), static_cast<unsigned long long>(counts.intercepted),
                counts.per_octet(), static_cast<unsigned long long>(counts.idle_polls));
  return text;
}

UartGuestEnd run_uart_guest(const UartGuest& told, Clock& clock) {
  sim::UartLine line(clock);
  const Result<guest::Options> options = options_of(told);
  const guest::Summary summary =
      options ? attempt(told, *options, line, clock) : failed(guest::Options{}, clock.now(), options.error());
  UartGuestEnd end{.exit = {.by_signal = false, .number = summary.exit()},
                   .result = {},
                   .words = summary.released() ? std::string() : "attest-guest: " + guest::summary_line(summary) + "\n",
                   .counts = line.counts()};
  ByteArray<guest::kMaxSummaryBytes> text;
  if (const Result<Bytes> written = guest::write_summary_json(summary, text)) {
    auto json = nlohmann::ordered_json::parse(text_of(*written), nullptr, false);
    json["uart"] = counts_json(end.counts);
    end.result = json.dump() + "\n";
  }
  return end;
}

}  // namespace attestbed::tools
