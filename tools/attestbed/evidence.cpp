// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/evidence.h"

#include <CLI/CLI.hpp>
#include <chrono>

namespace attestbed::tools {

using verify::Checked;
using verify::Refusal;

CLI::Option* add_evidence_options(CLI::App& command, EvidencePlaces& places, const char* report_help) {
  CLI::Option* const report = command.add_option("REPORT", places.report, report_help);
  command.add_option("--certs", places.certificates, "Certificates, DER or PEM: files or directories");
  command.add_option("--root", places.roots, "Trust only the self-signed ARKs in these files, instead of AMD's");
  command.add_option("--at", places.at, "Judge dates at this time, RFC 3339; default: now");
  return report;
}

Checked<Evidence> read_evidence(const EvidencePlaces& places) {
  Evidence evidence;
  evidence.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  evidence.at_is_now = places.at.empty();
  if (!places.at.empty()) {
    const Checked<verify::Time> at = verify::time_parse(places.at);
    if (!at) return Refusal{Errc::bad_config, "--at", at.error().expected, at.error().found};
    evidence.at = *at;
  }
  if (!places.report.empty()) evidence.report = TRY(read_file(places.report));
  evidence.loaded = TRY(load_certificates(places.certificates));
  if (!places.roots.empty()) {
    const Checked<LoadedCertificates> loaded = load_certificates(places.roots);
    if (!loaded) return own_file_refusal("--root", loaded.error());
    const LoadedCertificates& named = *loaded;
    const Checked<verify::TrustedRoots> roots = verify::TrustedRoots::from_certificates(named.certificates);
    if (!roots) {
      const Refusal& why = roots.error();
      return own_file_refusal(
          "--root",
          {why.code, verify::printable(places.roots.front(), 200) + (places.roots.size() > 1 ? " and others" : ""),
           why.expected, why.found});
    }
    evidence.roots = *roots;
    // A root file often holds the intermediate as well, as AMD's own cert_chain does.
    evidence.loaded.certificates.insert(evidence.loaded.certificates.end(), named.certificates.begin(),
                                        named.certificates.end());
  }
  return evidence;
}

Refusal own_file_refusal(const char* option, const Refusal& why) {
  const bool cannot_read = why.code == Errc::io_failed || why.code == Errc::too_large;
  return {cannot_read ? why.code : Errc::bad_config, std::string(option) + " " + why.field, why.expected, why.found};
}

bool is_simulated_chip(Bytes chip_id) {
  const std::string_view text = text_of(chip_id);
  return text.starts_with("attestbed-sim") || text.starts_with("abed-sim");
}

}  // namespace attestbed::tools
