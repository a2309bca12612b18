// SPDX-License-Identifier: Apache-2.0
#include "core/verify/verify.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "tools/attestbed/certificate_files.h"
#include "tools/attestbed/describe.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/subcommands.h"
#include "tools/attestbed/verdict.h"

namespace attestbed::tools {
namespace {

using verify::Certificate;
using verify::Checked;
using verify::Refusal;
using verify::TrustedRoots;

struct Options {
  std::string report;
  std::vector<std::string> certificates, roots;
  std::string at;
  bool cert_only = false;
  bool json = false;
};

constexpr char kFooter[] =
    "Checks format, certificate chain, dates, TCB, chip id and signature. DEBUG, VMPL, policy and measurement are\n"
    "printed as facts: they are yours to judge. AMD's ASK and ASVK are filled in where the chain lacks them; a root\n"
    "that is only in --certs is never trusted. A malformed file ends the run if --certs names it, and is skipped with\n"
    "a warning if it was met in a directory (*.der, *.crt, *.cer, *.pem).\n"
    "Examples:\n"
    "  attestbed verify report.bin --certs vcek.der\n"
    "  attestbed verify report.bin --certs certs/ --at 2025-10-01T00:00:00Z --json\n"
    "  attestbed verify report.bin --certs certs/ --root ark.pem\n"
    "  attestbed verify --cert-only --certs vcek.der\n";

/// Inputs is everything that was read before the first check.
struct Inputs {
  std::vector<std::uint8_t> report;
  LoadedCertificates loaded;
  TrustedRoots roots = TrustedRoots::amd();
  verify::Time at;
};

Checked<Inputs> read_inputs(const Options& options) {
  Inputs inputs;
  inputs.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (!options.at.empty()) {
    const Checked<verify::Time> at = verify::time_parse(options.at);
    if (!at) return Refusal{Errc::bad_config, "--at", at.error().expected, at.error().found};
    inputs.at = *at;
  }
  if (!options.report.empty()) inputs.report = TRY(read_file(options.report));
  inputs.loaded = TRY(load_certificates(options.certificates));
  if (!options.roots.empty()) {
    const LoadedCertificates named = TRY(load_certificates(options.roots));
    inputs.roots = TRY(TrustedRoots::from_certificates(named.certificates));
    // A root file often holds the intermediate as well, as AMD's own cert_chain does.
    inputs.loaded.certificates.insert(inputs.loaded.certificates.end(), named.certificates.begin(),
                                      named.certificates.end());
  }
  return inputs;
}

Checked<void> judge_report(const Inputs& inputs, Verdict& verdict) {
  const snp::RawReport report = TRY(verify::check_form(inputs.report));
  verdict.passed.push_back({"form", "version " + std::to_string(report.version) + ", reserved fields zero"});
  if (!verdict.cert_only) verdict.facts = describe_facts(report);
  const Certificate chosen = TRY(verify::select_vek(report, inputs.loaded.certificates));
  verdict.passed.push_back({"selection", std::string(kind_name(chosen.kind())) + " " +
                                             verify::printable(chosen.source(), 200) + ", of " +
                                             std::to_string(inputs.loaded.certificates.size()) + " certificates"});
  const verify::Vek vek =
      TRY(verify::verify_chain(chosen, inputs.loaded.certificates, inputs.roots, inputs.at, &verdict.passed));
  if (verdict.cert_only) return {};
  TRY(verify::verify_report(report, vek, &verdict.passed));
  return {};
}

void judge_certificates(const Inputs& inputs, Verdict& verdict) {
  std::size_t veks = 0;
  for (const Certificate& certificate : inputs.loaded.certificates) {
    if (certificate.kind() != Certificate::Kind::vcek && certificate.kind() != Certificate::Kind::vlek) continue;
    ++veks;
    verify::Steps passed;
    const auto vek = verify::verify_chain(certificate, inputs.loaded.certificates, inputs.roots, inputs.at, &passed);
    if (vek) verdict.passed.insert(verdict.passed.end(), passed.begin(), passed.end());
    if (!vek) verdict.refused.push_back(vek.error());
  }
  if (veks > 0) return;
  verdict.refused.push_back({Errc::certificate_missing, "--certs", "a VCEK or VLEK",
                             std::to_string(inputs.loaded.certificates.size()) + " certificates of other kinds"});
}

int exit_code_of(const Refusal& refusal) {
  if (refusal.code == Errc::bad_config) return kExitUsage;
  return refusal.code == Errc::io_failed ? kExitCouldNotRun : kExitRefused;
}

int verify_command(const Options& options) {
  const Checked<Inputs> inputs = read_inputs(options);
  if (!inputs) {
    std::fprintf(stderr, "attestbed verify: %s\n", inputs.error().text().c_str());
    return exit_code_of(inputs.error());
  }
  Verdict verdict;
  verdict.report_path = options.report;
  verdict.at = inputs->at;
  verdict.at_is_now = options.at.empty();
  verdict.roots.assign(inputs->roots.certificates().begin(), inputs->roots.certificates().end());
  verdict.roots_are_amds = !inputs->roots.simulated();
  verdict.warnings = inputs->loaded.warnings;
  verdict.cert_only = options.cert_only;
  if (options.report.empty()) {
    judge_certificates(*inputs, verdict);
  } else if (const Checked<void> judged = judge_report(*inputs, verdict); !judged) {
    verdict.refused.push_back(judged.error());
  }
  const std::string out = options.json ? verdict_json(verdict).dump(2) + "\n" : verdict_text(verdict);
  std::fputs(out.c_str(), stdout);
  for (const Refusal& refusal : verdict.refused) {
    std::fprintf(stderr, "attestbed verify: %s\n", refusal.text().c_str());
  }
  return verdict.ok() ? kExitOk : kExitRefused;
}

}  // namespace

void add_verify(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("verify", "Verify a report and its certificates");
  CLI::Option* report =
      command->add_option("REPORT", options->report, "The report, 1184 octets; may be omitted with --cert-only");
  command->add_option("--certs", options->certificates, "Certificates, DER or PEM: files or directories")->required();
  command->add_option("--root", options->roots, "Trust only the self-signed ARKs in these files, instead of AMD's");
  command->add_option("--at", options->at, "Judge dates at this time, RFC 3339; default: now");
  command->add_flag("--cert-only", options->cert_only,
                    "Stop after the chain; without REPORT check every VCEK and VLEK that was given");
  command->add_flag("--json", options->json, "One JSON object; octets as hex");
  command->footer(kFooter);
  command->callback([options, report, &exit_code] {
    if (report->count() == 0 && !options->cert_only) throw CLI::RequiredError("REPORT");
    exit_code = verify_command(*options);
  });
}

}  // namespace attestbed::tools
