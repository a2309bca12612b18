// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/posix/fd.h"
#include "tools/launch/failure.h"

namespace attestbed::launch {

/// Command is what to start. A child gets this, its three standard descriptors and nothing else: standard input is
/// empty, the environment is kChildEnvironment, no other descriptor is inherited.
///   name     for messages and log files
///   program  path of the executable
struct Command {
  std::string name;
  std::string program;
  std::vector<std::string> args;
};

/// Exit is how a process ended.
struct Exit {
  bool by_signal = false;
  int number = 0;  // exit status, or the signal

  bool clean() const { return !by_signal && number == 0; }
  std::string text() const;  // "exit 3", "signal 9 (Killed)"
};

/// Captured is what a program wrote to one descriptor. Beyond the cap it is read and counted, but not kept, so a flood
/// neither fills memory nor blocks the writer.
class Captured {
 public:
  static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;

  void append(std::string_view octets);
  const std::string& text() const { return text_; }
  std::uint64_t dropped() const { return dropped_; }
  /// line_starting finds the first complete line that begins with `prefix`, without its line feed.
  std::optional<std::string> line_starting(std::string_view prefix) const;
  /// last_lines returns up to `count` lines from the end.
  std::string last_lines(std::size_t count) const;

 private:
  std::string text_;
  std::uint64_t dropped_ = 0;
};

/// Child is one process that Children started. Ends with its Children, never by itself.
class Child {
 public:
  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  const Captured& out() const { return out_; }
  const Captured& err() const { return err_; }
  const std::optional<Exit>& exit() const { return exit_; }
  /// last_lines is the end of what it said: standard error, or standard output if that is empty.
  std::string last_lines(std::size_t count = 5) const;

 private:
  friend class Children;
  Child() = default;

  std::string name_;
  pid_t pid_ = -1;
  posix::Fd pid_fd_, out_fd_, err_fd_;
  Captured out_, err_;
  std::optional<Exit> exit_;
};

/// Spawned is a running process and the descriptors that watch it.
struct Spawned {
  pid_t pid = -1;
  posix::Fd pid_fd, out, err;
};

/// spawn starts `command` in a process group of its own; it is killed when the calling thread ends. Returns once the
/// program runs, or with the reason why it could not be executed.
Outcome<Spawned> spawn(const Command& command);

}  // namespace attestbed::launch
