// SPDX-License-Identifier: Apache-2.0
#include "guest/init/linux_machine.h"

#include <cpuid.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "core/posix/describe.h"
#include "guest/init/console.h"
#include "guest/init/init_attempt.h"
#include "guest/init/leaving.h"
#include "guest/init/module_list.h"
#include "guest/init/next_program.h"
#include "guest/init/virtio_port.h"

namespace attestbed::guest {
namespace {

// How long the simulated device, its port and the host's firmware behind it may take: it bounds hangs, not work.
constexpr std::chrono::seconds kDevicePatience{20};
constexpr std::chrono::seconds kPortPatience{5};

struct MountRow {
  const char* type;
  const char* target;
  unsigned long flags;
  const char* options;
};
constexpr unsigned long kNothingRuns = MS_NOSUID | MS_NOEXEC | MS_NODEV;
constexpr MountRow kMounts[] = {
    {"proc", "/proc", kNothingRuns, ""},
    {"sysfs", "/sys", kNothingRuns, ""},
    {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755"},
    {"configfs", "/sys/kernel/config", kNothingRuns, ""},
};

bool is_mount_point(const std::string& path) {
  struct stat here {
  }, above{};
  return ::stat(path.c_str(), &here) == 0 && ::stat((path + "/..").c_str(), &above) == 0 && here.st_dev != above.st_dev;
}

}  // namespace

bool cpu_has_snp() {
  constexpr unsigned kEncryptedMemory = 0x8000001f, kSnp = 1U << 4;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(kEncryptedMemory, &eax, &ebx, &ecx, &edx) != 0 && (eax & kSnp) != 0;
}

void LinuxMachine::say(std::string_view line) {
  say_on_console(line);
}

std::chrono::nanoseconds LinuxMachine::since_boot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::uint64_t LinuxMachine::peak_rss_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss);
}

Outcome<void> LinuxMachine::mount(FileSystem which) {
  const MountRow& row = kMounts[static_cast<std::size_t>(which)];
  (void)::mkdir(row.target, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
  // A tmpfs would hide the one that an earlier program mounted; the others say EBUSY themselves.
  if (which == FileSystem::run && is_mount_point(row.target)) return {};
  if (::mount(row.type, row.target, row.type, row.flags, row.options) == 0 || errno == EBUSY) return {};
  return failure_at(row.target, {Errc::io_failed, "mount", static_cast<std::uint64_t>(errno)},
                    "use a kernel that has this file system built in");
}

Result<std::string> LinuxMachine::read(const std::string& path, std::size_t max) {
  return posix::read_file(path, max);
}

void LinuxMachine::leaves_by(std::optional<std::uint16_t> debug_exit) {
  remember_debug_exit(debug_exit);
}

Outcome<void> LinuxMachine::load_module(const std::string& name) {
  const std::string path = kModuleFolder + name + ".ko";
  const posix::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const bool loaded = file && (::syscall(SYS_finit_module, file.get(), "", 0) == 0 || errno == EEXIST);
  if (loaded) return {};
  // A driver that found no device it could serve; the reason is in the kernel's log alone.
  if (file && errno == ENODEV && (name == "sev-guest" || name == "sev_guest")) {
    return failure_at(
        path, {Errc::firmware_unreachable, "finit_module", ENODEV},
        "the kernel's line above says why, without `quiet`: no gcm(aes) (make the image from a kernel package "
        "with its folder crypto, as ./run kernel has it), or no VMPCK that is left");
  }
  return failure_at(path, {Errc::io_failed, file ? "finit_module" : "open", static_cast<std::uint64_t>(errno)},
                    "make the image anew from the package of the kernel that is booted (attestbed image --kernel)");
}

bool LinuxMachine::is_snp_guest() {
  // The processor of a host has the bit, too, and a hypervisor may show it to a guest that is none; the kernel
  // registers this device only once it runs under SNP.
  return cpu_has_snp() && ::access("/sys/devices/platform/sev-guest", F_OK) == 0;
}

Outcome<void> LinuxMachine::start_device(FirmwareWord::Type type) {
  const Deadline until = clock_.now() + kDevicePatience;
  std::vector<std::string> arguments{"--inside"};
  if (type == FirmwareWord::Type::simulated) {
    Outcome<std::string> port =
        find_virtio_port(kVirtioPortsFolder, kFirmwarePort, clock_, clock_.now() + kPortPatience);
    if (!port) {
      return Failure{{Errc::firmware_unreachable, kFirmwarePort, ENODEV}, port.error().text, port.error().remedy};
    }
    arguments = {"--line", *std::move(port)};
  }
  return device_.start(kSimulatedDevice, arguments, kDefaultSevGuestDevice, clock_, until);
}

void LinuxMachine::stop_device() {
  device_.stop();
}

Attempted LinuxMachine::attempt(const Words& words) {
  return init_attempt(words, clock_, [this] { return since_boot(); });
}

Failure LinuxMachine::become(const NextWord& next) {
  reap_orphans();
  return become_next(next);
}

}  // namespace attestbed::guest
