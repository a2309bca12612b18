// SPDX-License-Identifier: Apache-2.0
#include "sim/device/cuse_device.h"

#define FUSE_USE_VERSION 31
#include <cuse_lowlevel.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace attestbed::sim {
namespace {

constexpr char kControl[] = "/dev/cuse";

std::vector<iovec> iovecs_of(const std::vector<UserRange>& ranges) {
  std::vector<iovec> out;
  out.reserve(ranges.size());
  // The kernel's way to say "of the caller's memory": nothing here may touch these addresses.
  for (const UserRange& range : ranges) out.push_back({reinterpret_cast<void*>(range.address), range.size});
  return out;
}

std::vector<iovec> iovecs_of(const std::vector<Bytes>& data) {
  std::vector<iovec> out;
  out.reserve(data.size());
  for (const Bytes octets : data) out.push_back({const_cast<std::uint8_t*>(octets.data()), octets.size()});
  return out;
}

void serve_open(fuse_req_t request, fuse_file_info* file) {
  fuse_reply_open(request, file);
}

void serve_ioctl(fuse_req_t request, int command, void* argument, fuse_file_info*, unsigned flags, const void* in,
                 size_t in_size, size_t out_room) {
  // As Linux' driver, which has no entry for 32-bit programs.
  if ((flags & FUSE_IOCTL_COMPAT) != 0) {
    fuse_reply_err(request, ENOTTY);
    return;
  }
  auto& dialogue = *static_cast<IoctlDialogue*>(fuse_req_userdata(request));
  const Bytes octets(static_cast<const std::uint8_t*>(in), in_size);
  const IoctlReply reply =
      dialogue.round(static_cast<std::uint32_t>(command), reinterpret_cast<std::uintptr_t>(argument), octets, out_room);
  if (reply.again) {
    const std::vector<iovec> from = iovecs_of(reply.in), to = iovecs_of(reply.out);
    fuse_reply_ioctl_retry(request, from.data(), from.size(), to.data(), to.size());
    return;
  }
  // Not fuse_reply_err: an ioctl that fails still writes its argument.
  const std::vector<iovec> data = iovecs_of(reply.data);
  fuse_reply_ioctl_iov(request, -reply.error, data.data(), static_cast<int>(data.size()));
  dialogue.forget();
}

struct EndSession {
  void operator()(fuse_session* session) const { cuse_lowlevel_teardown(session); }
};
using Session = std::unique_ptr<fuse_session, EndSession>;

/// Incoming is libfuse's buffer for one request, which it allocates.
struct Incoming {
  fuse_buf buffer{};
  Incoming() = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming() { std::free(buffer.mem); }
};

Outcome<Session> open_session(const std::string& name, IoctlDialogue& dialogue) {
  if (::access(kControl, R_OK | W_OK) != 0) {
    const char* remedy = errno == ENOENT ? "load the module cuse, or use a kernel that has it" : "it belongs to root";
    return Failure{Errc::bad_config, std::string(kControl) + ": " + std::strerror(errno) + ": " + remedy};
  }
  const std::string device_name = "DEVNAME=" + name;
  const char* device_info[] = {device_name.c_str()};
  cuse_info info{};
  info.dev_info_argc = 1;
  info.dev_info_argv = device_info;
  info.flags = CUSE_UNRESTRICTED_IOCTL;
  static const cuse_lowlevel_ops operations = [] {
    cuse_lowlevel_ops out{};
    out.open = serve_open;
    out.ioctl = serve_ioctl;
    return out;
  }();
  // In the foreground, one request at a time.
  char program[] = "snp-sim-device", foreground[] = "-f", one_thread[] = "-s";
  char* arguments[] = {program, foreground, one_thread, nullptr};
  int threads = 0;
  Session session(cuse_lowlevel_setup(3, arguments, &info, &operations, &threads, &dialogue));
  if (!session) return Failure{Errc::io_failed, std::string(kControl) + ": no session (libfuse said why above)"};
  return session;
}

/// exists says whether there is such a character device.
bool exists(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISCHR(about.st_mode);
}

}  // namespace

Outcome<void> serve_cuse(const std::string& name, IoctlDialogue& dialogue, int stop,
                         const std::function<void()>& ready) {
  const std::string path = "/dev/" + name;
  if (::access(path.c_str(), F_OK) == 0) {
    return Failure{Errc::bad_config, path + ": exists already, real or simulated; nothing here replaces it (--name)"};
  }
  const Session session = TRY(open_session(name, dialogue));
  Incoming incoming;
  bool announced = false;
  while (true) {
    pollfd watched[] = {{fuse_session_fd(session.get()), POLLIN, 0}, {stop, POLLIN, 0}};
    if (::poll(watched, std::size(watched), -1) < 0) continue;
    if (watched[1].revents != 0) return {};
    const int got = fuse_session_receive_buf(session.get(), &incoming.buffer);
    if (got == -EINTR || got == -EAGAIN) continue;
    if (got <= 0 || fuse_session_exited(session.get()) != 0) {
      return Failure{Errc::io_failed, path + ": the kernel ended the session: " + std::strerror(-got)};
    }
    fuse_session_process_buf(session.get(), &incoming.buffer);
    if (announced) continue;
    // The first request asks what the device shall be; with the answer the kernel makes it.
    if (!exists(path)) {
      return Failure{Errc::io_failed, path + ": the kernel made no device: its name is taken, or /dev is no devtmpfs"};
    }
    announced = true;
    ready();
  }
}

}  // namespace attestbed::sim
