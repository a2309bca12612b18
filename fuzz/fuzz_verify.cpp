// SPDX-License-Identifier: Apache-2.0
// Property: a report that verifies under a real VEK is one that real firmware signed, whatever else its octets say.
#include "fuzz/amd_samples.h"
#include "fuzz/must.h"

using namespace attestbed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::AmdSamples& samples = fuzz::amd_samples();
  const auto report = verify::check_form({data, size});
  if (!report) return 0;
  const bool real = samples.has_signed_part(*report);
  const auto chosen = verify::select_vek(*report, samples.certificates);
  fuzz::must(!chosen || samples.has_certificate(*chosen), "what is chosen was offered");
  for (const verify::Vek& vek : samples.veks) {
    fuzz::must(!verify::verify_report(*report, vek) || real, "nobody but the firmware signs a report");
  }
  return 0;
}
