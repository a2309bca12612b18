// SPDX-License-Identifier: Apache-2.0
// Property: a certificate that parses from DER is the octets it was parsed from; and one whose chain holds under AMD's
// real roots is one that AMD really signed.
#include <algorithm>

#include "fuzz/amd_samples.h"
#include "fuzz/must.h"

using namespace attestbed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::AmdSamples& samples = fuzz::amd_samples();
  const auto parsed = verify::Certificate::parse({data, size}, "fuzz");
  if (!parsed) return 0;
  fuzz::must(!parsed->empty() && parsed->size() <= verify::kMaxCertificatesPerFile, "the number is bounded");
  if (data[0] == 0x30) {
    fuzz::must(std::ranges::equal(parsed->front().der(), Bytes(data, size)), "a certificate is its octets");
  }
  for (const verify::Certificate& certificate : *parsed) {
    const auto again = verify::Certificate::parse(certificate.der(), "again");
    fuzz::must(again && again->front() == certificate, "and parses again to itself");
    const auto vek = verify::verify_chain(certificate, *parsed, verify::TrustedRoots::amd(), fuzz::kSampleTime);
    fuzz::must(!vek || samples.has_certificate(certificate), "nobody but AMD signs under AMD's roots");
  }
  return 0;
}
