// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vm/snp_command.h"

namespace attestbed::vm {

enum class Accelerator : std::uint8_t { tcg, kvm };
const char* accelerator_name(Accelerator accelerator);  // "tcg", "kvm": QEMU's words

/// kDebugExitPort is where a guest tells QEMU the exit status that it ends with. QEMU then ends with
/// ((kDebugExitBase + status) << 1) | 1: an odd number from 33 on, which none of its own failures (1) is.
inline constexpr std::uint16_t kDebugExitPort = 0xf4;
inline constexpr int kDebugExitBase = 0x10;

/// guest_status is the exit status that a guest told QEMU, from how QEMU ended; absent if none did.
std::optional<int> guest_status(int qemu_exit);

/// VirtioPort is one port of the virtio-serial device: what the guest finds as /sys/class/virtio-ports/*/name.
///   socket  of a server on this machine, which QEMU connects to, again and again until it is there
///   file    that takes what the guest writes; one of the two is empty
struct VirtioPort {
  std::string name, socket, file;
};

/// QemuGuest is a VM without encryption: what has no SNP hardware boots the same kernel and initial RAM disk in it.
///   com3_socket  of the proxy; empty: COM3 is there and leads nowhere
///   vsock_cid    of the guest, on hosts that have vhost-vsock; absent: no vsock device
struct QemuGuest {
  std::string qemu;
  Accelerator accelerator = Accelerator::tcg;
  Reconnect reconnect = Reconnect::seconds;
  unsigned memory_mib = 256;
  std::string kernel, initrd, append;
  std::string com3_socket;
  std::vector<VirtioPort> ports{};
  std::optional<std::uint32_t> vsock_cid{};
};

/// qemu_argv is the whole command line, the program first. COM1, the console, is QEMU's standard output; COM2 leads
/// nowhere. The machine has no display, no disk and no network, and a guest that reboots ends it.
std::vector<std::string> qemu_argv(const QemuGuest& guest);

}  // namespace attestbed::vm
