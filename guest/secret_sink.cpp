// SPDX-License-Identifier: Apache-2.0
#include "guest/secret_sink.h"

#include <unistd.h>

#include <cerrno>

#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

Status check_file(const std::string& file, const char* where) {
  if (file.empty()) return ok();
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  if (file.back() == '/') return Error{Errc::io_failed, where, EISDIR};
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return Error{Errc::io_failed, where, static_cast<std::uint64_t>(errno)};
  return ok();
}

// write(2) and not stdio, whose buffer would keep a copy of the secret.
Status write_stdout(Bytes octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{Errc::io_failed, "--stdout", static_cast<std::uint64_t>(errno)};
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

}  // namespace

Status check_destinations(const Options& options) {
  TRY(check_file(options.out_file, "--out"));
  return check_file(options.report_file, "--report");
}

Result<std::string> hand_on(Bytes secret, const Options& options) {
  if (options.to_stdout) {
    TRY(write_stdout(secret));
    return std::string("standard output");
  }
  if (options.out_file.empty()) return std::string();
  if (const Status written = posix::write_file_private(options.out_file, secret); !written) {
    return Error{Errc::io_failed, "--out", written.error().found};
  }
  return options.out_file;
}

}  // namespace attestbed::guest
