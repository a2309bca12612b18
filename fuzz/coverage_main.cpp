// SPDX-License-Identifier: Apache-2.0
// Replays a fuzz target's inputs and says which edges they reached: the program that `./run fuzz` uses to add the
// targets' coverage up. It stands in libFuzzer's place before the same objects: clang gave every edge a counter and a
// place in a table of addresses (-fsanitize-coverage=inline-8bit-counters,pc-table), and tells both to the functions
// below. Without a target it lists the edges that there are.
//   usage   fuzz_X_coverage OUTPUT [FILE|FOLDER…]
//   output  a line per function: its address in the program, a blank, and a digit per edge, 1 if reached
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) __attribute__((weak));

namespace {

struct Entry {
  std::uintptr_t address, flags;  // of the table; bit 0 of flags: a function begins
};
struct Module {
  const std::uint8_t *counters, *counters_end;
  const Entry *entries, *entries_end;
};
std::vector<Module>& modules() {
  static std::vector<Module>& all = *new std::vector<Module>;
  return all;
}

[[noreturn]] void die(const char* why, const char* what) {
  std::fprintf(stderr, "coverage: %s %s\n", why, what);
  std::exit(3);
}

void replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) die("cannot read", path.c_str());
  const std::vector<std::uint8_t> input(std::istreambuf_iterator<char>(file), {});
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::size_t write(std::FILE* out) {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&modules), &here) == 0) die("no base address", "");
  const auto base = reinterpret_cast<std::uintptr_t>(here.dli_fbase);
  std::size_t edges = 0;
  for (const Module& module : modules()) {
    if (module.entries_end - module.entries != module.counters_end - module.counters) die("tables differ", "");
    const std::uint8_t* counter = module.counters;
    for (const Entry* entry = module.entries; entry != module.entries_end; ++entry, ++edges) {
      if ((entry->flags & 1U) != 0) std::fprintf(out, "%s0x%zx ", edges == 0 ? "" : "\n", entry->address - base);
      std::fputc(*counter++ != 0 ? '1' : '0', out);
    }
  }
  std::fputc('\n', out);
  return edges;
}

}  // namespace

// The sanitizers' run time has weak functions of these names.
extern "C" void __sanitizer_cov_8bit_counters_init(char* begin, char* end) {
  modules().push_back(
      {reinterpret_cast<const std::uint8_t*>(begin), reinterpret_cast<const std::uint8_t*>(end), {}, {}});
}
extern "C" void __sanitizer_cov_pcs_init(const std::uintptr_t* begin, const std::uintptr_t* end) {
  modules().back().entries = reinterpret_cast<const Entry*>(begin);
  modules().back().entries_end = reinterpret_cast<const Entry*>(end);
}

int main(int argc, char** argv) {
  if (argc < 2) die("usage:", "fuzz_X_coverage OUTPUT [FILE|FOLDER…]");
  for (int i = 2; i < argc; ++i) {
    if (LLVMFuzzerTestOneInput == nullptr) die("no target to replay", argv[i]);
    if (!std::filesystem::is_directory(argv[i])) {
      replay(argv[i]);
      continue;
    }
    for (const auto& file : std::filesystem::directory_iterator(argv[i])) replay(file.path());
  }
  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) die("cannot write", argv[1]);
  const std::size_t edges = write(out);
  if (std::fclose(out) != 0 || edges == 0) die("no edges in", argv[1]);
  return 0;
}
