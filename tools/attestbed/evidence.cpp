// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/evidence.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "tools/attestbed/exit_code.h"

namespace attestbed::tools {
namespace {

using verify::Checked;
using verify::Refusal;

Checked<void> judge(const Evidence& evidence, JudgeUntil until, ReportJudgement& into) {
  into.report = TRY(verify::check_form(evidence.report));
  const snp::RawReport& report = *into.report;
  into.passed.push_back({"form", "version " + std::to_string(report.version) + ", reserved fields zero"});
  const std::vector<verify::Certificate>& certificates = evidence.loaded.certificates;
  const verify::Certificate chosen = TRY(verify::select_vek(report, certificates));
  into.passed.push_back({"selection", std::string(kind_name(chosen.kind())) + " " +
                                          verify::printable(chosen.source(), 200) + ", of " +
                                          std::to_string(certificates.size()) + " certificates"});
  into.vek = TRY(verify::verify_chain(chosen, certificates, evidence.roots, evidence.at, &into.passed));
  if (until == JudgeUntil::the_chain) return {};
  into.verified = TRY(verify::verify_report(report, *into.vek, &into.passed));
  return {};
}

}  // namespace

CLI::Option* add_evidence_options(CLI::App& command, EvidencePlaces& places, const char* report_help) {
  CLI::Option* const report = command.add_option("REPORT", places.report, report_help);
  command.add_option("--certs", places.certificates, "Certificates, DER or PEM: files or directories")->required();
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
    const LoadedCertificates named = TRY(load_certificates(places.roots));
    evidence.roots = TRY(verify::TrustedRoots::from_certificates(named.certificates));
    // A root file often holds the intermediate as well, as AMD's own cert_chain does.
    evidence.loaded.certificates.insert(evidence.loaded.certificates.end(), named.certificates.begin(),
                                        named.certificates.end());
  }
  return evidence;
}

ReportJudgement judge_report(const Evidence& evidence, JudgeUntil until) {
  ReportJudgement judgement;
  const Checked<void> judged = judge(evidence, until, judgement);
  if (!judged) judgement.refused = judged.error();
  return judgement;
}

bool is_simulated_chip(Bytes chip_id) {
  const std::string_view text = text_of(chip_id);
  return text.starts_with("attestbed-sim") || text.starts_with("abed-sim");
}

int exit_code_of(const Refusal& refusal) {
  if (refusal.code == Errc::bad_config) return kExitUsage;
  switch (refusal.code) {
    case Errc::io_failed:
    case Errc::kds_unreachable:
    case Errc::kds_untrusted:
    case Errc::kds_timeout:
    case Errc::kds_busy:
    case Errc::kds_malformed:
    case Errc::kds_offline:
      return kExitCouldNotRun;
    default:
      return kExitRefused;
  }
}

}  // namespace attestbed::tools
