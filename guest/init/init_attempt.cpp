// SPDX-License-Identifier: Apache-2.0
#include "guest/init/init_attempt.h"

#include <memory>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"
#include "guest/attempt.h"
#include "guest/counting_ports.h"
#include "guest/hardening.h"
#include "guest/init/console.h"
#include "guest/init/next_program.h"
#include "guest/init/port_instructions.h"
#include "guest/init/secret_places.h"
#include "guest/init/virtio_port.h"
#include "guest/init/word_values.h"
#include "guest/key_progress.h"
#include "guest/line.h"
#include "guest/uart_transport.h"

namespace attestbed::guest {
namespace {

constexpr unsigned kUartPorts = 8;

/// FirstOctet passes octets on and remembers when the first was sent.
class FirstOctet final : public Transport {
 public:
  FirstOctet(Transport& wire, const std::function<std::chrono::nanoseconds()>& since_boot)
      : wire_(wire), since_boot_(since_boot) {}
  Result<std::size_t> read_some(MutBytes into, Deadline until) override { return wire_.read_some(into, until); }
  Status write_all(Bytes from, Deadline until) override {
    if (!sent_) sent_ = since_boot_();
    return wire_.write_all(from, until);
  }
  std::optional<std::chrono::nanoseconds> sent() const { return sent_; }

 private:
  Transport& wire_;
  const std::function<std::chrono::nanoseconds()>& since_boot_;
  std::optional<std::chrono::nanoseconds> sent_;
};

/// InitAttempt is the attempt of one start.
class InitAttempt {
 public:
  InitAttempt(const Words& words, Clock& clock, const std::function<std::chrono::nanoseconds()>& since_boot)
      : words_(words), clock_(clock), since_boot_(since_boot), until_(clock.now() + words.timeout) {}

  Attempted run() {
    attempted_.summary.started = clock_.now();
    attempted_.summary.terms = words_.terms;
    if (const Outcome<void> done = on_its_line(); !done) {
      attempted_.summary.error = done.error().error;
      attempted_.failure = done.error();
    }
    return std::move(attempted_);
  }

 private:
  Outcome<void> on_its_line() {
    TRY(check_next(words_.next));
    switch (words_.line.type) {
      case LineWord::Type::serial:
        return on_descriptor(open({.kind = LineAddress::Kind::serial, .path = words_.line.place}), LineKind::serial);
      case LineWord::Type::vsock:
        return on_descriptor(open({.kind = LineAddress::Kind::vsock, .cid = words_.line.cid, .port = words_.line.port}),
                             LineKind::connected);
      case LineWord::Type::virtio_port:
        return on_descriptor(open_port(), LineKind::serial);
      case LineWord::Type::uart:
        return on_uart();
    }
    return Failure{};
  }

  Outcome<posix::Fd> open(const LineAddress& address) {
    Result<posix::Fd> line = open_line(address, clock_, until_);
    if (line) return *std::move(line);
    const bool serial = address.kind == LineAddress::Kind::serial;
    return failure_at(
        serial ? address.path : "vsock " + std::to_string(address.cid) + ":" + std::to_string(address.port),
        line.error(),
        serial ? "give the machine that serial port (QEMU counts its -serial options: the third is COM3, /dev/ttyS2), "
                 "or name another line with attest.transport="
               : "");
  }

  Outcome<posix::Fd> open_port() {
    const std::string device = TRY(find_virtio_port(kVirtioPortsFolder, words_.line.place, clock_, port_deadline()));
    return open_virtio_port(device, clock_, until_);
  }

  // A port that the machine has shows at once; one that it has not is not waited for all the time.
  Deadline port_deadline() const { return std::min<Deadline>(until_, clock_.now() + std::chrono::seconds(2)); }

  Outcome<void> on_descriptor(Outcome<posix::Fd> line, LineKind kind) {
    if (!line) return line.error();
    posix::FdTransport wire(*std::move(line), clock_);
    over(wire, kind);
    return {};
  }

  Outcome<void> on_uart() {
    const std::string name = "UART at I/O port " + port_text(words_.line.base);
    if (const Status taken = take_ports(words_.line.base, kUartPorts); !taken) return failure_at(name, taken.error());
    PortInstructions instructions;
    CountingPorts ports(instructions, words_.line.base);
    Result<UartTransport> wire = UartTransport::open(ports, words_.line.base, clock_);
    if (!wire) return failure_at(name, wire.error());
    over(*wire, LineKind::serial);
    attempted_.ports = ports.counts();
    return {};
  }

  void over(Transport& wire, LineKind kind) {
    FifoPlace fifo(words_.secret.place, words_.timeout);
    KeyPlace key(words_.secret.place);
    PortPlace port(words_.secret.place, clock_, until_);
    Options options;
    options.config.terms = words_.terms;
    options.config.secret_auth = words_.secret_auth_none ? SecretAuth::none : SecretAuth::unset;
    options.config.budget = std::max<std::chrono::nanoseconds>(until_ - clock_.now(), std::chrono::nanoseconds(1));
    KeyProgressLines key_progress(clock_, [](const std::string& line) { say_on_console(line); });
    options.key_progress = &key_progress;
    options.vmpl = words_.vmpl;
    options.firmware = firmware();
    switch (words_.secret.type) {
      case SecretWord::Type::drop:
        break;
      case SecretWord::Type::file:
        options.out_file = words_.secret.place;
        break;
      case SecretWord::Type::fifo:
        options.place = &fifo;
        break;
      case SecretWord::Type::key:
        options.place = &key;
        break;
      case SecretWord::Type::port:
        options.place = &port;
        break;
    }
    FirstOctet first(wire, since_boot_);
    posix::KernelEntropy entropy;
    const auto memory = std::make_unique<Memory>();
    keep_out_of_swap({reinterpret_cast<const std::uint8_t*>(memory.get()), sizeof *memory});
    attempted_.summary = run_attempt_over(first, kind, options, clock_, entropy, *memory);
    attempted_.first_frame = first.sent();
    for (const InitPlace* const place : std::initializer_list<const InitPlace*>{&fifo, &key, &port}) {
      if (attempted_.summary.error && place->failure()) attempted_.failure = place->failure();
    }
  }

  FirmwareAddress firmware() const {
    using Type = FirmwareWord::Type;
    const auto at = [this](FirmwareAddress::Kind kind, const char* usual) {
      const std::string& place = words_.firmware.place;
      return FirmwareAddress{.kind = kind, .path = place.empty() ? usual : place, .certs = true};
    };
    switch (words_.firmware.type) {
      case Type::automatic:
        return {.kind = FirmwareAddress::Kind::automatic, .path = {}, .certs = true};
      case Type::tsm:
        return at(FirmwareAddress::Kind::tsm, kDefaultTsmTree);
      case Type::sev_guest:
      case Type::simulated:
      case Type::simulated_inside:
        break;
    }
    return at(FirmwareAddress::Kind::sev_guest, kDefaultSevGuestDevice);
  }

  const Words& words_;
  Clock& clock_;
  const std::function<std::chrono::nanoseconds()>& since_boot_;
  const Deadline until_;
  Attempted attempted_;
};

}  // namespace

Attempted init_attempt(const Words& words, Clock& clock, const std::function<std::chrono::nanoseconds()>& since_boot) {
  return InitAttempt(words, clock, since_boot).run();
}

}  // namespace attestbed::guest
