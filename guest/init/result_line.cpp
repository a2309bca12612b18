// SPDX-License-Identifier: Apache-2.0
#include "guest/init/result_line.h"

#include <memory>
#include <numeric>

namespace attestbed::guest {

std::string milliseconds_text(std::chrono::nanoseconds time) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const std::string fraction = std::to_string(us % 1000);
  return std::to_string(us / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

std::string result_json(const Summary& summary, const BootTimes& boot, const std::optional<PortCounts>& ports) {
  const auto into = std::make_unique<ByteArray<kMaxSummaryBytes>>();
  const Result<Bytes> written = write_summary_json(summary, *into);
  if (!written) return "{}";
  std::string text(text_of(*written));
  const auto or_null = [](const std::optional<std::chrono::nanoseconds>& time) {
    return time ? milliseconds_text(*time) : std::string("null");
  };
  text.pop_back();  // its closing bracket
  if (ports) {
    const std::size_t octets =
        std::accumulate(summary.frame_octets.begin(), summary.frame_octets.end(), std::size_t{0});
    text += ",\"uart\":{\"octets\":" + std::to_string(octets) + ",\"accesses\":" + std::to_string(ports->accesses) +
            ",\"intercepted\":" + std::to_string(ports->intercepted) +
            ",\"idle_polls\":" + std::to_string(ports->idle_polls) + "}";
  }
  return text + ",\"boot\":{\"kernel_ms\":" + milliseconds_text(boot.kernel) + ",\"init_ms\":" + or_null(boot.init) +
         ",\"first_frame_ms\":" + or_null(boot.first_frame) + ",\"done_ms\":" + milliseconds_text(boot.done) +
         ",\"peak_rss_kib\":" + std::to_string(boot.peak_rss_kib) + "}}";
}

std::string measured_line(bool snp_guest) {
  if (!snp_guest) return "configuration NOT measured: this is no SNP guest, and whoever runs it chose these words";
  return "configuration measured only if the broker's launch digest is of this kernel, initramfs and command line, "
         "by a firmware that checks their hashes (kernel-hashes=on)";
}

}  // namespace attestbed::guest
