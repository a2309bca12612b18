// SPDX-License-Identifier: Apache-2.0
#include "guest/init/virtio_port.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

constexpr std::chrono::milliseconds kLookAgain{2};
constexpr std::size_t kMaxPortNameBytes = 256;

/// Port is a port that sysfs shows: its device, and its name, which the host chose.
struct Port {
  std::string device, name;
};

std::vector<Port> ports_in(const std::string& folder) {
  std::vector<Port> ports;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return ports;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string device = entry->d_name;
    if (device.starts_with('.') || ports.size() == kMaxVirtioPorts) continue;
    Result<std::string> name = posix::read_file(folder + "/" + device + "/name", kMaxPortNameBytes);
    if (!name) continue;  // a port without a name has no such file
    while (!name->empty() && name->back() == '\n') name->pop_back();
    ports.push_back({device, *std::move(name)});
  }
  std::ranges::sort(ports, {}, &Port::device);
  return ports;
}

std::string names_of(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "" : ", ") + printable(port.name);
  return text.empty() ? "none" : text;
}

}  // namespace

Outcome<std::string> find_virtio_port(const std::string& folder, const std::string& name, Clock& clock,
                                      Deadline until) {
  for (;;) {
    const std::vector<Port> ports = ports_in(folder);
    const auto port = std::ranges::find(ports, name, &Port::name);
    if (port != ports.end()) return "/dev/" + port->device;
    if (clock.now() >= until) {
      return Failure{{Errc::transport, "virtio port", ENODEV},
                     "no virtio port has the name " + name + " (there are: " + names_of(ports) + ")",
                     "start the machine with -device virtio-serial-pci -device virtserialport,chardev=ID,name=" + name};
    }
    clock.wait_until(std::min<Instant>(clock.now() + kLookAgain, until));
  }
}

Outcome<posix::Fd> open_virtio_port(const std::string& device, Clock& clock, Deadline until) {
  posix::Fd port(::open(device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!port) return failure_at(device, {Errc::transport, "open", static_cast<std::uint64_t>(errno)});
  for (;;) {
    pollfd waiting{port.get(), POLLIN | POLLOUT, 0};
    if (::poll(&waiting, 1, 0) >= 0 && (waiting.revents & POLLHUP) == 0) return port;
    if (clock.now() >= until) {
      return failure_at(device, {Errc::deadline, "the host's side of the virtio port"},
                        "see that something listens on the socket of this port's -chardev");
    }
    clock.wait_until(std::min<Instant>(clock.now() + kLookAgain, until));
  }
}

}  // namespace attestbed::guest
