// SPDX-License-Identifier: Apache-2.0
#include "fuzz/amd_samples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/must.h"

namespace attestbed::fuzz {
namespace {

std::vector<std::string> files_in(const char* folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return files;
}

AmdSamples read() {
  AmdSamples samples;
  samples.reports = files_in(ATTESTBED_SOURCE_DIR "/core/verify/testdata/reports");
  for (const std::string& der : files_in(ATTESTBED_SOURCE_DIR "/core/verify/testdata/certs")) {
    const auto parsed = verify::Certificate::parse(bytes_of(der), "sample");
    must(bool(parsed), "a sample certificate parses");
    samples.certificates.push_back(parsed->front());
    const auto vek = verify::verify_chain(parsed->front(), {}, verify::TrustedRoots::amd(), kSampleTime);
    if (vek) samples.veks.push_back(*vek);  // two of the samples are bad on purpose
  }
  must(samples.reports.size() >= 7 && samples.veks.size() >= 7, "the samples are there");
  return samples;
}

}  // namespace

bool AmdSamples::has_certificate(const verify::Certificate& certificate) const {
  return std::ranges::find(certificates, certificate) != certificates.end();
}

bool AmdSamples::has_signed_part(const snp::RawReport& report) const {
  const std::string_view part = text_of(octets_of(report).first(snp::kSignedReportBytes));
  return std::ranges::any_of(reports, [&](const std::string& sample) { return sample.starts_with(part); });
}

const AmdSamples& amd_samples() {
  static const AmdSamples samples = read();
  return samples;
}

}  // namespace attestbed::fuzz
