// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/posix/clock.h"
#include "tools/launch/children.h"
#include "tools/launch/scratch_dir.h"

namespace attestbed::programs {

/// ProgramTest is a test that runs the real programs: in a scratch directory, with nothing left behind.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest();

  /// Finished is a program that ran to its end.
  struct Finished {
    launch::Exit exit;
    std::string out, err;
    nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
  };
  Finished run(const std::string& program, const std::vector<std::string>& args);
  Finished finish(launch::Child& child);
  launch::Child& start(const std::string& program, const std::vector<std::string>& args);
  /// start_ready waits for the line that begins with "ready " and returns what follows.
  std::string start_ready(const std::string& program, const std::vector<std::string>& args);

  /// start_machine, start_broker and start_proxy bring up the parts on this test's sockets.
  ///   options  further flags
  void start_machine(const std::vector<std::string>& options = {});
  void start_broker(const std::string& measurement);
  void start_proxy(const std::string& url);
  /// guest runs attest-guest --json against them.
  Finished guest(const std::vector<std::string>& options = {});
  /// events are the log lines of a program with this event name.
  std::vector<nlohmann::json> events(const std::string& program, const std::string& event);
  launch::Child& child(const std::string& program);

  /// users_of tells how many processes have this directory in their command line, as every part of a run does.
  static int users_of(const std::string& scratch);

  std::string file(const std::string& name) const { return scratch_->file(name); }
  void write(const std::string& name, const std::string& text) const;
  static std::optional<std::string> read(const std::string& path);
  Deadline soon() { return clock_.now() + std::chrono::seconds(120); }

  posix::SteadyClock clock_;
  std::optional<launch::ScratchDir> scratch_;
  std::optional<launch::Children> children_;
  std::string measurement_, url_;
};

inline constexpr const char* kSecretText = "correct horse battery staple";
/// The first half of `printf 'correct horse battery staple' | sha256sum`: whoever sees it can try guesses.
inline constexpr const char* kSecretDigest = "c4bbcb1fbec99d65bf59d85c8cb62ee2";
inline const std::string kOtherMeasurement(96, 'a');

}  // namespace attestbed::programs
