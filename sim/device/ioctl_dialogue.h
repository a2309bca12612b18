// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sim/device/sev_guest_driver.h"

namespace attestbed::sim {

/// UserRange is memory of the process that called ioctl(2). Only the kernel reads and writes it.
struct UserRange {
  std::uint64_t address = 0;
  std::size_t size = 0;
  bool operator==(const UserRange&) const = default;
};

/// IoctlReply ends one round of an ioctl.
///   again  the kernel is to copy `in` here and have room for `out`, then the ioctl comes again; else the ioctl ends
///          with `error` (errno, 0 = success), and `data` goes where the last round's `out` said, in its order
struct IoctlReply {
  bool again = false;
  std::vector<UserRange> in, out;
  int error = 0;
  std::vector<Bytes> data;
};

/// IoctlDialogue is what a character device in user space (CUSE) and the kernel say to each other about one ioctl,
/// for SevGuestDriver: the device sees a pointer, and asks for what it points to round after round. Each round knows
/// only what the kernel brings along, so nothing is remembered between rounds, and a caller that changes its memory
/// meanwhile gets EFAULT at worst. Ranges are at most 32 + 112 octets to read and 20 KiB to write.
///
/// Where this differs from a driver in the kernel: memory that cannot be read is EFAULT without 0xff in exitinfo2, and
/// on success argument and extended request are written back as they were read.
class IoctlDialogue {
 public:
  explicit IoctlDialogue(SevGuestDriver& driver) : driver_(driver) {}

  /// round takes what ioctl(2) was called with, the octets of the last round's `in`, and the sum of its `out`. Views in
  /// the reply are valid until forget() or the next round.
  IoctlReply round(std::uint32_t request, std::uint64_t argument, Bytes in, std::size_t out_room);

  /// forget wipes the last answer, once it was sent.
  void forget() { driver_.forget(); }

 private:
  IoctlReply ask_for_question(std::uint32_t request, std::uint64_t address);
  IoctlReply answer(std::uint32_t request, std::uint64_t address, Bytes question, std::size_t out_room);
  IoctlReply end(const SevGuestDriver::Answer& answer);

  SevGuestDriver& driver_;
  snp_guest_request_ioctl argument_{};
  snp_ext_report_req extended_{};
};

}  // namespace attestbed::sim
