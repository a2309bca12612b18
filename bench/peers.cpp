// SPDX-License-Identifier: Apache-2.0
// attestbed_bench_peers DIRECTORY…: our own verification of reports from octets, beside which other people's libraries
// are set; they have programs of the same form. A directory holds report.bin, vcek.der, ask.der and ark.der. Each
// question is repeated for at least a second, and the answer is Google Benchmark's JSON. Exit: 0 measured, 1 a case was
// refused, 2 usage.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/verify/verify.h"

namespace attestbed::bench {
namespace {

using verify::Certificate;
using verify::Checked;
using Octets = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLeast{1100};

struct Case {
  Octets report, vcek, ask, ark;
};

/// Seen is what became of a case on the way: what the second question begins with.
struct Seen {
  snp::RawReport report;
  verify::Vek vek;
};

Octets read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Octets(std::istreambuf_iterator<char>(file), {});
}

Case read_case(const std::string& directory) {
  return {read(directory + "/report.bin"), read(directory + "/vcek.der"), read(directory + "/ask.der"),
          read(directory + "/ark.der")};
}

/// whole reads and verifies everything: three RSA signatures (ARK, ASK, VCEK) and the report's.
Checked<Seen> whole(const Case& in, verify::Time at) {
  const snp::RawReport report = TRY(verify::check_form(in.report));
  const std::vector<Certificate> ark = TRY(Certificate::parse(in.ark, "ARK"));
  const std::vector<Certificate> ask = TRY(Certificate::parse(in.ask, "ASK"));
  const std::vector<Certificate> vcek = TRY(Certificate::parse(in.vcek, "VCEK"));
  const verify::TrustedRoots roots = TRY(verify::TrustedRoots::from_certificates(ark));
  verify::Vek vek = TRY(verify::verify_chain(vcek.at(0), ask, roots, at));
  TRY(verify::verify_report(report, vek));
  return Seen{report, std::move(vek)};
}

/// alone reads and verifies a report under a VCEK that is already believed.
Checked<void> alone(const Case& in, const verify::Vek& vek) {
  const snp::RawReport report = TRY(verify::check_form(in.report));
  TRY(verify::verify_report(report, vek));
  return {};
}

template <class Once>
nlohmann::json timed(const char* name, std::size_t cases, Once once) {
  std::size_t done = 0;
  const Clock::time_point began = Clock::now();
  while (Clock::now() - began < kLeast) {
    for (std::size_t at = 0; at < cases; ++at) once(at);
    done += cases;
  }
  const double each =
      std::chrono::duration<double, std::nano>(Clock::now() - began).count() / static_cast<double>(done);
  return {{"name", name},      {"run_type", "iteration"}, {"iterations", done},
          {"real_time", each}, {"cpu_time", each},        {"time_unit", "ns"}};
}

int measure(const std::vector<std::string>& directories) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::vector<Case> cases;
  std::vector<Seen> seen;
  for (const std::string& directory : directories) {
    cases.push_back(read_case(directory));
    Checked<Seen> judged = whole(cases.back(), now);
    if (!judged) {
      std::fprintf(stderr, "attestbed_bench_peers: %s: %s\n", directory.c_str(), judged.error().text().c_str());
      return 1;
    }
    seen.push_back(*std::move(judged));
  }
  // Verdicts were checked above; the same input gives the same verdict.
  std::size_t refused = 0;
  nlohmann::json rows = nlohmann::json::array();
  rows.push_back(
      timed("attestbed/from octets", cases.size(), [&](std::size_t at) { refused += !whole(cases[at], now); }));
  rows.push_back(
      timed("attestbed/chain held", cases.size(), [&](std::size_t at) { refused += !alone(cases[at], seen[at].vek); }));
  const nlohmann::json out = {{"context", nlohmann::json::object()}, {"benchmarks", rows}};
  std::printf("%s\n", out.dump(2).c_str());
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace attestbed::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: attestbed_bench_peers DIRECTORY…\n");
    return 2;
  }
  return attestbed::bench::measure({argv + 1, argv + argc});
}
