// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/doctor_certificates.h"

#include "core/base/wire.h"
#include "core/posix/describe.h"
#include "core/verify/verify.h"
#include "tools/attestbed/certificate_files.h"

namespace attestbed::tools {
namespace {

using verify::Certificate;
using vm::CheckState;
using vm::HostCheck;

constexpr char kFetch[] =
    "after a first report: attestbed verify report.bin --kds amd --kds-cache kds   # then mock-kbs's [kds] cache = "
    "\"kds\"";

bool is_vek(const Certificate& certificate) {
  return certificate.kind() == Certificate::Kind::vcek || certificate.kind() == Certificate::Kind::vlek;
}

/// tcb_octets of a number as the firmware tells it: little-endian, as in a report.
snp::TcbVersion tcb_octets(std::uint64_t number) {
  snp::TcbVersion octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return octets;
}

HostCheck result(CheckState state, std::string found, std::string next) {
  return {"certificates", false, state, std::move(found), std::move(next)};
}

}  // namespace

HostCheck check_certificates(const std::vector<std::string>& paths,
                             const std::optional<vm::SnpPlatformStatus>& firmware, verify::Time at) {
  if (paths.empty()) return result(CheckState::unknown, "none named with --certs", kFetch);
  const auto loaded = load_certificates(paths);
  if (!loaded) return result(CheckState::missing, loaded.error().text(), kFetch);
  std::string refused;
  std::string usable;
  for (const Certificate& certificate : loaded->certificates) {
    if (!is_vek(certificate)) continue;
    const auto vek = verify::verify_chain(certificate, loaded->certificates, verify::TrustedRoots::amd(), at);
    if (!vek) {
      refused = certificate.source() + ": " + vek.error().text();
      continue;
    }
    const std::string what = certificate.source() + ", a " + verify::kind_name(certificate.kind()) + " of " +
                             snp::product_name(vek->product());
    if (!firmware) {
      usable = what;
      continue;
    }
    if (snp::encode_tcb(vek->product(), vek->tcb()) == tcb_octets(firmware->reported_tcb)) {
      return result(CheckState::ok, what + " for the TCB that the firmware reports", {});
    }
    refused = what + " for another TCB than the firmware reports";
  }
  if (!usable.empty()) {
    return result(CheckState::unknown, usable + ", and no firmware to compare its TCB with",
                  "as root: attestbed doctor");
  }
  return result(CheckState::missing, refused.empty() ? "no VCEK or VLEK in --certs" : refused, kFetch);
}

}  // namespace attestbed::tools
