// SPDX-License-Identifier: Apache-2.0
#include "proxy/serial_listener.h"

#include <algorithm>

#include "core/log/event_log.h"
#include "core/posix/serial_line.h"

namespace attestbed::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kFirstPause = 100ms, kLongestPause = 5s;

class SerialListener final : public Listener {
 public:
  SerialListener(posix::Fd line, std::string device, Clock& clock)
      : line_(std::move(line)), device_(std::move(device)), clock_(clock), due_(clock.now()) {}

  std::string name() const override { return "serial:" + device_; }
  int fd() const override { return -1; }
  Deadline due() const override { return due_; }

  Result<std::optional<NewLine>> accept() override {
    if (clock_.now() < due_) return std::optional<NewLine>();
    if (!line_) reopen();
    if (!line_) return std::optional<NewLine>();
    due_ = kNever;
    return std::optional<NewLine>(NewLine{.fd = std::move(line_),
                                          .name = device_,
                                          .peer = name(),
                                          .kind = LineKind::serial,
                                          .after_answer = AfterAnswer::keep});
  }

  void line_ended() override {
    // Not at once even the first time: a device whose other side is not there hangs up as soon as it is opened.
    const Instant now = clock_.now();
    if (now - opened_ > kLongestPause) pause_ = kFirstPause;
    wait_again(now);
  }

 private:
  void reopen() {
    Result<posix::Fd> line = posix::open_serial(device_);
    if (line) {
      line_ = *std::move(line);
      opened_ = clock_.now();
      told_ = false;
      log::event(log::Level::info, "serial_reopened", {{"device", device_}});
      return;
    }
    // Once per outage: it may last for days.
    if (!std::exchange(told_, true)) {
      log::event(log::Level::warning, "serial_missing", {{"device", device_}, {"errno", line.error().found}});
    }
    wait_again(clock_.now());
  }

  void wait_again(Instant now) {
    due_ = now + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  posix::Fd line_;
  const std::string device_;
  Clock& clock_;
  Deadline due_;
  Instant opened_ = clock_.now();
  std::chrono::nanoseconds pause_ = kFirstPause;
  bool told_ = false;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen_on_serial(const std::string& device, Clock& clock) {
  posix::Fd line = TRY(posix::open_serial(device));
  return std::unique_ptr<Listener>(std::make_unique<SerialListener>(std::move(line), device, clock));
}

}  // namespace attestbed::proxy
