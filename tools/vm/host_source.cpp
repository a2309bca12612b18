// SPDX-License-Identifier: Apache-2.0
#include "tools/vm/host_source.h"

#include <cpuid.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/reader.h"
#include "core/base/wire.h"
#include "core/posix/clock.h"
#include "core/posix/fd.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"
#include "tools/vm/qemu_accel.h"

namespace attestbed::vm {
namespace {

using sim::Failure;
using sim::Outcome;

constexpr char kSevDevice[] = "/dev/sev";
constexpr std::chrono::seconds kAnswerTime{5};

// linux/psp-sev.h (the headers of Debian 12 do not have the command yet): SEV_ISSUE_CMD takes struct sev_issue_cmd,
// which is packed, and the command number of its enumeration; the answer is struct sev_user_data_snp_status, packed as
// well.
struct SevIssueCmd {
  le32 cmd;
  le64 data;
  le32 error;
};
constexpr unsigned long kSevIssueCmd = _IOWR('S', 0x0, SevIssueCmd);
constexpr std::uint32_t kSnpPlatformStatus = 9;

struct SnpStatus {
  std::uint8_t api_major, api_minor, state, rmp;
  le32 build_id, flags, guest_count;
  le64 current_tcb, reported_tcb;
};
static_assert(sizeof(SevIssueCmd) == 16 && sizeof(SnpStatus) == 32 && alignof(SnpStatus) == 1);

Failure unreadable(const char* path, int error) {
  return {Errc::io_failed, std::string(path) + ": " + std::system_category().message(error)};
}

posix::Fd open_for_commands(const char* path) {
  return posix::Fd(::open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

}  // namespace

sim::CpuidValues ThisHost::cpuid(std::uint32_t function) {
  sim::CpuidValues values;
  // The function checks the largest one that there is of this range, and leaves zeros otherwise.
  static_cast<void>(__get_cpuid_count(function, 0, &values.eax, &values.ebx, &values.ecx, &values.edx));
  return values;
}

Opened ThisHost::open_device(const std::string& path) {
  const posix::Fd device = open_for_commands(path.c_str());
  return Opened{device ? 0 : errno};
}

Outcome<SnpPlatformStatus> ThisHost::snp_platform_status() {
  const posix::Fd device = open_for_commands(kSevDevice);
  if (!device) return unreadable(kSevDevice, errno);
  SnpStatus status{};
  SevIssueCmd command{};
  command.cmd = kSnpPlatformStatus;
  command.data = reinterpret_cast<std::uintptr_t>(&status);
  if (::ioctl(device.get(), kSevIssueCmd, &command) != 0) {
    const int error = errno;
    Failure failure = unreadable("/dev/sev: SNP_PLATFORM_STATUS", error);
    if (command.error != 0) failure.text += ", firmware status " + std::to_string(std::uint32_t{command.error});
    return failure;
  }
  return SnpPlatformStatus{.api_major = status.api_major,
                           .api_minor = status.api_minor,
                           .build = status.build_id,
                           .initialized = status.state == 1,
                           .rmp_initialized = (status.rmp & 1U) != 0,
                           .masks_chip_id = (status.flags & 1U) != 0,
                           .masks_chip_key = (status.flags & 2U) != 0,
                           .has_vlek = (status.flags & 4U) != 0,
                           .current_tcb = status.current_tcb,
                           .reported_tcb = status.reported_tcb};
}

Outcome<std::string> ThisHost::run(const std::vector<std::string>& argv) {
  posix::SteadyClock clock;
  launch::Children children(clock);
  const auto child = children.start({argv.front(), argv.front(), {argv.begin() + 1, argv.end()}});
  if (!child) return Failure{Errc::io_failed, child.error().text()};
  const auto exit = children.wait_exit(**child, clock.now() + kAnswerTime);
  if (!exit) return Failure{Errc::deadline, exit.error().text()};
  if (!exit->clean()) {
    return Failure{Errc::io_failed, argv.front() + ": " + exit->text() + ": " + (*child)->last_lines(1)};
  }
  return (*child)->out().text();
}

Outcome<KvmProbe> ThisHost::probe_kvm(const std::string& qemu) {
  posix::SteadyClock clock;
  launch::Children children(clock);
  const auto scratch = launch::ScratchDir::make();
  if (!scratch) return Failure{Errc::io_failed, scratch.error().text()};
  auto chosen = vm::probe_kvm(qemu, scratch->path(), children, clock);
  if (!chosen) return Failure{Errc::io_failed, chosen.error().text()};
  return KvmProbe{chosen->accelerator == Accelerator::kvm, std::move(chosen->reason)};
}

}  // namespace attestbed::vm
