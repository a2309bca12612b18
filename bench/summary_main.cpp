// SPDX-License-Identifier: Apache-2.0
// attestbed_bench_summary SUITE SUMMARY [OUTPUT…]: merges the Google Benchmark outputs of one suite into the summary,
// and shows it; without outputs it says of all the suite's targets that they were not measured. Exit: 0 written,
// whether goals are met or not; 2 usage; 3 could not.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <vector>

#include "bench/summary.h"

namespace {

using nlohmann::json;

json read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return json::parse(file, nullptr, /*allow_exceptions=*/false);
}

bool exists(const std::string& path) {
  return std::ifstream(path).is_open();
}

/// replace writes beside `path` first: whoever reads it sees the old rows or the new ones.
bool replace(const std::string& path, const json& summary) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << summary.dump(2) << '\n';
    if (!file.flush()) return false;
  }
  return std::rename(fresh.c_str(), path.c_str()) == 0;
}

int fail(const std::string& why) {
  std::cerr << "attestbed_bench_summary: " << why << '\n';
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: attestbed_bench_summary SUITE SUMMARY [OUTPUT…]\n";
    return 2;
  }
  const std::string suite = argv[1], path = argv[2];
  std::vector<json> outputs;
  for (int i = 3; i < argc; ++i) outputs.push_back(read(argv[i]));
  const json existing = exists(path) ? read(path) : json::array();
  const auto summary = attestbed::bench::merged(existing, attestbed::bench::targets(), suite, outputs);
  if (!summary) {
    const bool output = std::string_view(summary.error().where) != "summary";
    return fail(output ? "an output is not Google Benchmark's JSON" : path + " is no array of rows: move it away");
  }
  if (!replace(path, *summary)) return fail("cannot write " + path);
  std::cout << '\n' << attestbed::bench::text_table(*summary);
  return 0;
}
