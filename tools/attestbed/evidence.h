// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/verify/verify.h"
#include "tools/attestbed/certificate_files.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace attestbed::tools {

/// EvidencePlaces is where `verify` and `explain` are told to look.
struct EvidencePlaces {
  std::string report;
  std::vector<std::string> certificates, roots;
  std::string at;
};

/// add_evidence_options adds --certs, --root and --at to a subcommand, and returns its positional REPORT.
CLI::Option* add_evidence_options(CLI::App& command, EvidencePlaces& places, const char* report_help);

/// Evidence is everything that was read before the first check.
struct Evidence {
  std::vector<std::uint8_t> report;
  LoadedCertificates loaded;
  verify::TrustedRoots roots = verify::TrustedRoots::amd();
  verify::Time at;
  bool at_is_now = false;
};

/// read_evidence reads what `places` names; an empty report path reads none.
///   errors  bad_config for --at and --root; those of load_certificates
verify::Checked<Evidence> read_evidence(const EvidencePlaces& places);

/// own_file_refusal is why a file cannot be used that an option names and nobody's evidence is: bad_config, unless it
/// could not even be read.
verify::Refusal own_file_refusal(const char* option, const verify::Refusal& why);

/// is_simulated_chip recognises the marker that simulated machines write into CHIP_ID and hwID, where no guest can
/// change it. A masked chip id has none: then only the root tells.
bool is_simulated_chip(Bytes chip_id);

/// What programs shout, whatever else they say.
inline constexpr char kRootNotAmds[] =
    "THE ROOT IS NOT AMD'S: whoever holds its key can make any report. Right for simulation, never for secrets.";
inline constexpr char kSimulatedChip[] =
    "SIMULATED CHIP: its id says that no hardware made this report. Right for simulation, never for secrets.";

}  // namespace attestbed::tools
