// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/attest.h"
#include "guest/firmware.h"
#include "guest/line.h"

namespace attestbed::guest {

class SecretPlace;

/// Options is the configuration of one run: the guest's own, nothing the host says changes it.
///   line           where the proxy is met
///   firmware       where reports come from
///   config         config.line follows from `line`, whatever it says
///   out_file       new file of mode 0600 for the secret; empty = none
///   to_stdout      the secret, and nothing else, goes to standard output
///   place          where else the secret goes, instead of out_file and to_stdout; null = nowhere else
///   key_progress   hears of the search for an RSA key; null = nobody
///   report_file    new file of mode 0600 for the report, for people; empty = none
///   json           the result as one JSON object on standard output
/// Without out_file, to_stdout and place the secret is counted and dropped.
struct Options {
  LineAddress line;
  FirmwareAddress firmware;
  AttestConfig config;
  unsigned vmpl = 0;
  std::string out_file;
  bool to_stdout = false;
  SecretPlace* place = nullptr;
  crypto::KeyProgress* key_progress = nullptr;
  std::string report_file;
  bool json = false;
};

/// ParsedOptions is either options or the exit status to leave with: 0 after --help and --version, 2 after a mistake,
/// which was then named in one line on standard error.
struct ParsedOptions {
  std::optional<Options> options;
  int exit = 0;
};
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace attestbed::guest
