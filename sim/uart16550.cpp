// SPDX-License-Identifier: Apache-2.0
#include "sim/uart16550.h"

#include <algorithm>
#include <utility>

namespace attestbed::sim {
namespace {

// PC16550D data sheet, table II (registers) and section 8.
enum Register : unsigned { kRbrThrDll, kIerDlm, kIirFcr, kLcr, kMcr, kLsr, kMsr, kScr };
constexpr std::uint8_t kIerReceived = 0x01, kIerTransmitter = 0x02, kIerLineStatus = 0x04, kIerModem = 0x08;
constexpr std::uint8_t kIirNone = 0x01, kIirModem = 0x00, kIirTransmitter = 0x02, kIirReceived = 0x04,
                       kIirLineStatus = 0x06, kIirTimeout = 0x0c, kIirFifos = 0xc0;
constexpr std::uint8_t kFcrEnable = 0x01, kFcrResetRx = 0x02, kFcrResetTx = 0x04;
constexpr std::uint8_t kLcrTwoStops = 0x04, kLcrParity = 0x08, kLcrDlab = 0x80;
constexpr std::uint8_t kMcrLoop = 0x10;
constexpr std::uint8_t kLsrData = 0x01, kLsrOverrun = 0x02, kLsrThre = 0x20, kLsrTemt = 0x40, kLsrFifoError = 0x80;
constexpr std::uint8_t kMsrCts = 0x10, kMsrDsr = 0x20, kMsrRi = 0x40, kMsrDcd = 0x80;
constexpr std::size_t kTriggers[] = {1, 4, 8, 14};
constexpr std::size_t kStringOctets = 16;
constexpr std::int64_t kBaudAtOne = 115200;

}  // namespace

bool Uart16550::looped() const {
  return (mcr_ & kMcrLoop) != 0;
}
bool Uart16550::dlab() const {
  return (lcr_ & kLcrDlab) != 0;
}
bool Uart16550::fifos() const {
  return (fcr_ & kFcrEnable) != 0;
}
std::size_t Uart16550::trigger() const {
  return fifos() ? kTriggers[fcr_ >> 6] : 1;
}

std::chrono::nanoseconds Uart16550::character_time() const {
  const std::int64_t divisor = std::max(dlm_ * 256 + dll_, 1);
  const std::int64_t bits =
      1 + 5 + (lcr_ & 3) + ((lcr_ & kLcrParity) != 0 ? 1 : 0) + ((lcr_ & kLcrTwoStops) != 0 ? 2 : 1);
  return std::chrono::nanoseconds(std::chrono::seconds(1)) * bits * divisor / kBaudAtOne;
}

// The guest's side.

std::uint8_t Uart16550::in(unsigned offset) {
  const std::uint64_t idle_before = counts_.idle_polls;
  const std::uint8_t value = read(offset & 7);
  if (counts_.idle_polls == idle_before) ++counts_.intercepted;
  return value;
}

void Uart16550::out(unsigned offset, std::uint8_t value) {
  ++counts_.intercepted;
  write(offset & 7, value);
}

void Uart16550::in_string(unsigned offset, MutBytes into) {
  counts_.intercepted += (into.size() + kStringOctets - 1) / kStringOctets;
  const std::uint64_t idle_before = counts_.idle_polls;
  for (std::uint8_t& octet : into) octet = read(offset & 7);
  counts_.idle_polls = idle_before;  // the instruction was counted, whatever it found
}

void Uart16550::out_string(unsigned offset, Bytes from) {
  counts_.intercepted += (from.size() + kStringOctets - 1) / kStringOctets;
  for (const std::uint8_t octet : from) write(offset & 7, octet);
}

std::uint8_t Uart16550::read(unsigned offset) {
  ++counts_.accesses;
  switch (offset) {
    case kRbrThrDll:
      return dlab() ? dll_ : read_rbr();
    case kIerDlm:
      return dlab() ? dlm_ : ier_;
    case kIirFcr:
      return read_iir();
    case kLcr:
      return lcr_;
    case kMcr:
      return mcr_;
    case kLsr:
      return read_lsr();
    case kMsr:
      return read_msr();
    default:
      return scratch_;
  }
}

void Uart16550::write(unsigned offset, std::uint8_t value) {
  ++counts_.accesses;
  switch (offset) {
    case kRbrThrDll:
      if (dlab()) {
        dll_ = value;
      } else {
        write_thr(value);
      }
      break;
    case kIerDlm:
      if (dlab()) {
        dlm_ = value;
      } else {
        // Turning the transmitter's interrupt on while it is empty raises it: how drivers start to send.
        const bool turned_on = (value & ~ier_ & kIerTransmitter) != 0;
        ier_ = value & 0x0f;
        if (turned_on && tx_.empty()) thre_interrupt_ = true;
      }
      break;
    case kIirFcr:
      write_fcr(value);
      break;
    case kLcr:
      lcr_ = value;
      break;
    case kMcr:
      write_mcr(value);
      break;
    case kScr:
      scratch_ = value;
      break;
    default:  // LSR and MSR are for reading; the factory test that writes them is not modelled
      break;
  }
}

std::uint8_t Uart16550::read_rbr() {
  if (rx_.empty()) {
    ++counts_.empty_reads;
    return fifos() ? 0 : rbr_;
  }
  rbr_ = rx_.front().octet;
  rx_.pop_front();
  last_rx_ = clock_.now();
  reveal_errors();
  return rbr_;
}

// Errors of an octet show once it is the next one to be read.
void Uart16550::reveal_errors() {
  if (rx_.empty()) return;
  line_errors_ |= rx_.front().errors;
  rx_.front().errors = 0;
}

std::uint8_t Uart16550::pending() const {
  if ((ier_ & kIerLineStatus) != 0 && line_errors_ != 0) return kIirLineStatus;
  if ((ier_ & kIerReceived) != 0 && rx_.size() >= trigger()) return kIirReceived;
  const bool quiet = fifos() && !rx_.empty() && clock_.now() - last_rx_ >= 4 * character_time();
  if ((ier_ & kIerReceived) != 0 && quiet) return kIirTimeout;
  if ((ier_ & kIerTransmitter) != 0 && thre_interrupt_) return kIirTransmitter;
  if ((ier_ & kIerModem) != 0 && modem_deltas_ != 0) return kIirModem;
  return kIirNone;
}

std::uint8_t Uart16550::read_iir() {
  const std::uint8_t cause = pending();
  if (cause == kIirNone) ++counts_.idle_polls;
  if (cause == kIirTransmitter) {
    thre_interrupt_ = false;
    if (tx_.empty()) may_write_ = depth();
  }
  return static_cast<std::uint8_t>(cause | (fifos() ? kIirFifos : 0));
}

std::uint8_t Uart16550::read_lsr() {
  unsigned status = line_errors_;
  if (!rx_.empty()) status |= kLsrData;
  if (tx_.empty()) {
    status |= kLsrThre | kLsrTemt;
    may_write_ = depth();
  }
  const bool more_errors = std::ranges::any_of(rx_, [](const Received& r) { return r.errors != 0; });
  constexpr std::uint8_t kOfAnOctet = kParityError | kFramingError | kBreak;
  if (fifos() && (more_errors || (line_errors_ & kOfAnOctet) != 0)) status |= kLsrFifoError;
  if (status == 0) ++counts_.idle_polls;
  line_errors_ = 0;
  return static_cast<std::uint8_t>(status);
}

std::uint8_t Uart16550::modem_lines() const {
  if (!looped()) return kMsrCts | kMsrDsr | kMsrDcd;
  // Looped back: DTR, RTS, OUT1, OUT2 come in as DSR, CTS, RI, DCD.
  unsigned lines = 0;
  if ((mcr_ & 0x01) != 0) lines |= kMsrDsr;
  if ((mcr_ & 0x02) != 0) lines |= kMsrCts;
  if ((mcr_ & 0x04) != 0) lines |= kMsrRi;
  if ((mcr_ & 0x08) != 0) lines |= kMsrDcd;
  return static_cast<std::uint8_t>(lines);
}

std::uint8_t Uart16550::read_msr() {
  return static_cast<std::uint8_t>(modem_lines() | std::exchange(modem_deltas_, std::uint8_t{0}));
}

void Uart16550::write_mcr(std::uint8_t value) {
  const unsigned before = modem_lines();
  mcr_ = value & 0x1f;
  const unsigned after = modem_lines();
  // RI counts when it ends, the others when they change.
  const unsigned changed = ((before ^ after) & ~unsigned{kMsrRi}) | (before & ~after & kMsrRi);
  modem_deltas_ = static_cast<std::uint8_t>(modem_deltas_ | (changed >> 4));
}

void Uart16550::write_fcr(std::uint8_t value) {
  unsigned resets = value;
  if (((value ^ fcr_) & kFcrEnable) != 0) resets |= kFcrResetRx | kFcrResetTx;
  // Without the enabling bit the others are not programmed.
  fcr_ = (value & kFcrEnable) != 0 ? value & 0xc9 : 0;
  if ((resets & kFcrResetRx) != 0) rx_.clear();
  if ((resets & kFcrResetTx) != 0) {
    tx_.clear();
    transmitter_empty();
    may_write_ = depth();
  }
}

void Uart16550::write_thr(std::uint8_t octet) {
  thre_interrupt_ = false;
  if (may_write_ == 0 || tx_.size() >= depth()) {
    ++counts_.tx_overruns;
    return;
  }
  --may_write_;
  if (looped()) {
    put(octet, 0);
    transmitter_empty();
  } else {
    tx_.push_back(octet);
  }
}

void Uart16550::transmitter_empty() {
  thre_interrupt_ = true;
}

// The line's side.

void Uart16550::put(std::uint8_t octet, std::uint8_t errors) {
  if (rx_.size() >= depth()) {
    line_errors_ |= kLsrOverrun;
    ++counts_.rx_overruns;
    // With FIFOs the octet that comes too late is lost; without, it takes the place of the one nobody read.
    if (fifos()) return;
    rx_.clear();
  }
  rx_.push_back({octet, errors});
  last_rx_ = clock_.now();
  if (rx_.size() == 1) reveal_errors();
}

void Uart16550::receive(std::uint8_t octet, std::uint8_t errors) {
  if (looped()) return;
  ++counts_.received;
  put(octet, errors & (kParityError | kFramingError | kBreak));
}

std::size_t Uart16550::transmit(MutBytes into) {
  if (looped()) return 0;
  const std::size_t size = std::min(into.size(), tx_.size());
  std::copy_n(tx_.begin(), size, into.begin());
  tx_.erase(tx_.begin(), tx_.begin() + static_cast<std::ptrdiff_t>(size));
  counts_.sent += size;
  if (size > 0 && tx_.empty()) transmitter_empty();
  return size;
}

std::size_t Uart16550::room() const {
  return looped() ? 0 : depth() - rx_.size();
}

std::size_t Uart16550::room_below_trigger() const {
  return looped() || rx_.size() >= trigger() ? 0 : trigger() - rx_.size();
}

}  // namespace attestbed::sim
