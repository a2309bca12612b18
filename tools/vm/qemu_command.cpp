// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/qemu_command.h"

#include "tools/vm/qemu_words.h"

namespace attestbed::vm {
namespace {

std::string socket_chardev(const std::string& id, const std::string& path, Reconnect reconnect) {
  const char* const again = reconnect == Reconnect::seconds ? "reconnect=1" : "reconnect-ms=1000";
  return "socket,id=" + id + ",path=" + comma_escaped(path) + "," + again;
}

void add_ports(std::vector<std::string>& argv, const QemuGuest& guest) {
  argv.insert(argv.end(), {"-device", "virtio-serial-pci"});
  for (std::size_t i = 0; i < guest.ports.size(); ++i) {
    const VirtioPort& port = guest.ports[i];
    const std::string id = "p" + std::to_string(i);
    const std::string chardev = port.file.empty() ? socket_chardev(id, port.socket, guest.reconnect)
                                                  : "file,id=" + id + ",path=" + comma_escaped(port.file);
    argv.insert(argv.end(),
                {"-chardev", chardev, "-device", "virtserialport,chardev=" + id + ",name=" + comma_escaped(port.name)});
  }
}

}  // namespace

const char* accelerator_name(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? "kvm" : "tcg";
}

std::optional<int> guest_status(int qemu_exit) {
  const int status = (qemu_exit >> 1) - kDebugExitBase;
  if (qemu_exit % 2 == 0 || status < 0) return std::nullopt;
  return status;
}

std::vector<std::string> qemu_argv(const QemuGuest& guest) {
  std::vector<std::string> argv = {
      guest.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine",
      // The HPET and SMM cost TCG time and give this guest nothing.
      std::string("q35,hpet=off,smm=off,accel=") + accelerator_name(guest.accelerator), "-cpu",
      guest.accelerator == Accelerator::kvm ? "host" : "max", "-m", std::to_string(guest.memory_mib), "-kernel",
      guest.kernel, "-initrd", guest.initrd, "-append", guest.append, "-serial", "stdio", "-serial", "null"};
  if (guest.com3_socket.empty()) {
    argv.insert(argv.end(), {"-serial", "null"});
  } else {
    argv.insert(argv.end(),
                {"-chardev", socket_chardev("c3", guest.com3_socket, guest.reconnect), "-serial", "chardev:c3"});
  }
  argv.insert(argv.end(), {"-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"});
  if (!guest.ports.empty()) add_ports(argv, guest);
  if (guest.vsock_cid) {
    argv.insert(argv.end(), {"-device", "vhost-vsock-pci,guest-cid=" + std::to_string(*guest.vsock_cid)});
  }
  return argv;
}

}  // namespace attestbed::vm
