// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/verify/verified_report.h"
#include "tools/attestbed/certificate_files.h"
#include "tools/attestbed/describe.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/subcommands.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string file;
  bool json = false;
};

constexpr char kFooter[] =
    "Nothing is verified: `attestbed verify` does that.\n"
    "Examples:\n"
    "  attestbed show report.bin\n"
    "  attestbed show vcek.der --json\n";

// No report begins with the octet of a DER SEQUENCE: that would be version 48.
bool is_certificate(Bytes octets) {
  constexpr std::uint8_t kDerSequence = 0x30;
  return (!octets.empty() && octets.front() == kDerSequence) ||
         text_of(octets).find("-----BEGIN ") != std::string_view::npos;
}

/// describe_file makes one description for a report, and one for each certificate of a file.
verify::Checked<std::vector<ordered_json>> describe_file(const std::string& path) {
  const std::vector<std::uint8_t> octets = TRY(read_file(path));
  std::vector<ordered_json> all;
  if (!is_certificate(octets)) {
    all.push_back(describe(TRY(verify::check_form(octets))));
    return all;
  }
  const std::vector<verify::Certificate> certificates = TRY(verify::Certificate::parse(octets, path));
  for (const verify::Certificate& certificate : certificates) all.push_back(describe(certificate));
  return all;
}

int show(const Options& options) {
  const verify::Checked<std::vector<ordered_json>> described = describe_file(options.file);
  if (!described) {
    std::fprintf(stderr, "attestbed show: %s\n", described.error().text().c_str());
    return described.error().code == Errc::io_failed ? kExitCouldNotRun : kExitRefused;
  }
  std::string out;
  if (options.json) {
    out = (described->size() == 1 ? described->front() : ordered_json(*described)).dump(2) + "\n";
  } else {
    for (const ordered_json& each : *described) out += (out.empty() ? "" : "\n") + as_text(each);
  }
  std::fputs(out.c_str(), stdout);
  return kExitOk;
}

}  // namespace

void add_show(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Print a report or certificate, field by field");
  command->add_option("FILE", options->file, "A report (1184 octets), or a certificate in DER or PEM")->required();
  command->add_flag("--json", options->json, "One JSON object (for several certificates an array); octets as hex");
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace attestbed::tools
