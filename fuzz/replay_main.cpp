// SPDX-License-Identifier: Apache-2.0
// Replays a fuzz target without libFuzzer: every file of the corpus folders named, and some neighbours of each, the
// same ones every time. So every compiler and sanitizer of the test presets sees the inputs that a fuzzer found.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kNeighbours = 64;  // per file and kind: enough to touch every field, few enough for every build

using Octets = std::vector<std::uint8_t>;

void run(const Octets& input) {
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

void replay(const Octets& input) {
  run(input);
  const std::size_t step = std::max<std::size_t>(input.size() / kNeighbours, 1);
  for (std::size_t at = 0; at < input.size(); at += step) {
    Octets flipped = input;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ (1U << (at / step % 8)));
    run(flipped);
    run(Octets(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) paths.push_back(entry.path());
      std::sort(paths.begin(), paths.end());
    } else {
      paths.emplace_back(argv[i]);
    }
    for (const auto& path : paths) {
      std::ifstream file(path, std::ios::binary);
      if (!file) {
        std::fprintf(stderr, "replay: cannot read %s\n", path.c_str());
        return 3;
      }
      // Named before it runs: after an abort the last line says which input it was.
      std::fprintf(stderr, "replay: %s\n", path.c_str());
      replay(Octets(std::istreambuf_iterator<char>(file), {}));
      ++files;
    }
  }
  std::fprintf(stderr, "replay: %zu files\n", files);
  return files > 0 ? 0 : 1;
}
