// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of programs as people run them: a program, its output, its exit code.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace attestbed::tests {

using Octets = std::vector<std::uint8_t>;

// The samples of real machines, and a time at which their certificates were good.
inline const std::string kSource = ATTESTBED_SOURCE_DIR;
inline const std::string kSamples = kSource + "/core/verify/testdata/";
inline const std::string kCerts = " --certs " + kSamples + "certs";
inline const std::string kThen = " --at 2025-10-01T00:00:00Z";

inline std::string report(const std::string& name) {
  return kSamples + "reports/" + name + ".bin";
}

struct Ran {
  int exit_code;
  std::string out, err;
};

/// Scratch is a directory of this test's own, removed with everything in it.
class Scratch {
 public:
  Scratch() {
    std::string name = testing::TempDir() + "/command_line_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string put(const std::string& name, const Octets& octets) const {
    std::ofstream(*this / name, std::ios::binary).write(text_of(octets).data(), static_cast<long>(octets.size()));
    return *this / name;
  }
  std::string put_text(const std::string& name, const std::string& text) const {
    return put(name, Octets(text.begin(), text.end()));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// run starts a program through the shell and waits for its end; one that never ends has exit code 124.
inline Ran run(const std::string& program, const std::string& arguments) {
  const Scratch scratch;
  const std::string err = scratch / "err";
  std::FILE* pipe = popen(("timeout 120 " + program + " " + arguments + " 2>" + err + " </dev/null").c_str(), "r");
  Ran ran{-1, {}, {}};
  char chunk[4096];
  for (std::size_t n = 0; (n = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;) ran.out.append(chunk, n);
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream file(err);
  ran.err.assign(std::istreambuf_iterator<char>(file), {});
  return ran;
}

inline Ran attestbed(const std::string& arguments) {
  return run(ATTESTBED_PROGRAM, arguments);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace attestbed::tests
