// SPDX-License-Identifier: Apache-2.0
#include "sim/uart_line.h"

#include <algorithm>

namespace attestbed::sim {
namespace {

// Deadlines may lie at the end of time; a condition variable's may not.
constexpr std::chrono::nanoseconds kLongestNap = std::chrono::minutes(1);
constexpr std::uint8_t kOverrunOctets = 32;

}  // namespace

std::uint8_t UartLine::in(unsigned offset) {
  const std::lock_guard lock(mutex_);
  settle();
  const std::uint8_t value = uart_.in(offset);
  settle();
  return value;
}

void UartLine::out(unsigned offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  uart_.out(offset, value);
  settle();
}

void UartLine::in_string(unsigned offset, MutBytes into) {
  const std::lock_guard lock(mutex_);
  settle();
  uart_.in_string(offset, into);
  settle();
}

void UartLine::out_string(unsigned offset, Bytes from) {
  const std::lock_guard lock(mutex_);
  uart_.out_string(offset, from);
  settle();
}

UartCounts UartLine::counts() const {
  const std::lock_guard lock(mutex_);
  return uart_.counts();
}

// One octet reaches the receiver, if there is one and it may.
bool UartLine::arrives() {
  if (to_guest_.empty()) return false;
  const std::uint64_t number = arrived_ + 1;
  for (const UartFault& fault : faults_) {
    if (fault.kind != UartFaultKind::overrun || !fault.hits(number)) continue;
    without_asking_ = std::max<std::uint64_t>(without_asking_, arrived_ + fault.argument.value_or(kOverrunOctets));
  }
  const std::size_t room = options_.fill == Fill::to_trigger ? uart_.room_below_trigger() : uart_.room();
  if (number > without_asking_ && room == 0) return false;

  std::uint8_t octet = to_guest_.front(), errors = 0;
  to_guest_.pop_front();
  ++arrived_;
  for (const UartFault& fault : faults_) {
    if (!fault.hits(number)) continue;
    switch (fault.kind) {
      case UartFaultKind::overrun:
        break;
      case UartFaultKind::flip_bit:
        octet = static_cast<std::uint8_t>(octet ^ (1U << (fault.argument.value_or(0) & 7)));
        break;
      case UartFaultKind::insert:
        uart_.receive(fault.argument.value_or(0));
        break;
      case UartFaultKind::framing:
        errors |= Uart16550::kFramingError;
        break;
      case UartFaultKind::line_break:
        octet = 0;
        errors |= Uart16550::kBreak;
        break;
    }
  }
  uart_.receive(octet, errors);
  return true;
}

void UartLine::settle() {
  bool moved = false;
  ByteArray<Uart16550::kFifoBytes> sent;
  while (uart_.waiting_to_send() > 0 && from_guest_.size() < options_.capacity) {
    const std::size_t room = std::min(sent.size(), options_.capacity - from_guest_.size());
    const std::size_t size = uart_.transmit(MutBytes(sent).first(room));
    from_guest_.insert(from_guest_.end(), sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(size));
    moved = true;
  }
  while (arrives()) moved = true;
  if (moved) changed_.notify_all();
}

template <class Ready>
Status UartLine::wait(std::unique_lock<std::mutex>& lock, Deadline until, Ready ready, const char* where) {
  for (;;) {
    if (closed_) return Error{Errc::closed, where};
    const Instant now = clock_.now();
    if (now >= until) return Error{Errc::deadline, where};
    settle();
    if (ready()) return ok();
    if (manual_ != nullptr) {
      manual_->wait_until(until);
    } else {
      changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(until - now, kLongestNap));
    }
  }
}

Result<std::size_t> UartLine::FarEnd::read_some(MutBytes into, Deadline until) {
  if (into.empty()) return Error{Errc::bad_length, "UartLine read", 0, 1};
  std::unique_lock lock(line_.mutex_);
  TRY(line_.wait(
      lock, until, [this] { return !line_.from_guest_.empty(); }, "UartLine read"));
  auto& octets = line_.from_guest_;
  const std::size_t size = std::min(into.size(), octets.size());
  std::copy_n(octets.begin(), size, into.begin());
  octets.erase(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(size));
  line_.settle();
  return size;
}

Status UartLine::FarEnd::write_all(Bytes from, Deadline until) {
  std::unique_lock lock(line_.mutex_);
  auto& octets = line_.to_guest_;
  while (!from.empty()) {
    TRY(line_.wait(
        lock, until, [&] { return octets.size() < line_.options_.capacity; }, "UartLine write"));
    const std::size_t size = std::min(from.size(), line_.options_.capacity - octets.size());
    octets.insert(octets.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
    from = from.subspan(size);
    line_.settle();
  }
  return ok();
}

void UartLine::FarEnd::close() {
  const std::lock_guard lock(line_.mutex_);
  line_.closed_ = true;
  line_.changed_.notify_all();
}

}  // namespace attestbed::sim
