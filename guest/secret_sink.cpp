// SPDX-License-Identifier: Apache-2.0
#include "guest/secret_sink.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/posix/describe.h"
#include "core/posix/path.h"

namespace attestbed::guest {
namespace {

Status check_file(const std::string& file, const char* where) {
  if (file.empty()) return ok();
  const auto refuse = [where](int error) { return Error{Errc::io_failed, where, static_cast<std::uint64_t>(error)}; };
  if (file.back() == '/') return refuse(EISDIR);
  if (::access(posix::directory_of(file).c_str(), W_OK | X_OK) != 0) return refuse(errno);
  // Whatever it names, a link without a target too: write_file_private replaces nothing.
  struct stat there {};
  if (::lstat(file.c_str(), &there) == 0) return refuse(S_ISDIR(there.st_mode) ? EISDIR : EEXIST);
  return errno == ENOENT ? ok() : refuse(errno);
}

// Two paths to one new file: the same name in the same directory, whichever way they get there.
bool same_new_file(const std::string& a, const std::string& b) {
  const auto name = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  struct stat of_a {
  }, of_b{};
  return name(a) == name(b) && ::stat(posix::directory_of(a).c_str(), &of_a) == 0 &&
         ::stat(posix::directory_of(b).c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
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
  if (options.place != nullptr) TRY(options.place->check());
  TRY(check_file(options.out_file, "--out"));
  TRY(check_file(options.report_file, "--report"));
  const bool both = !options.out_file.empty() && !options.report_file.empty();
  if (both && same_new_file(options.out_file, options.report_file)) {
    return Error{Errc::bad_config, "--out and --report name the same file"};
  }
  return ok();
}

Result<std::string> hand_on(Bytes secret, const Options& options) {
  if (options.place != nullptr) return options.place->take(secret);
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
