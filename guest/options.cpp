// SPDX-License-Identifier: Apache-2.0
#include "guest/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

constexpr const char* kFooter = R"(
Without --out and --stdout the secret is counted and hashed (both are in the result) and then dropped.

Exit status: 0 released, 1 refused, 2 usage or configuration, 3 transport, 4 firmware, 5 the host broke the protocol.

Example:
  attest-guest --unix /run/attestbed/proxy.sock --firmware unix:/run/attestbed/firmware.sock \
    --secret-auth none --out /run/volume.key
)";

ParsedOptions mistake(std::string_view text) {
  const std::string line(text.substr(0, text.find('\n')));
  std::fprintf(stderr, "attest-guest: %s (see attest-guest --help)\n", line.c_str());
  return {std::nullopt, 2};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
  Options options;
  std::string firmware, secret_auth, resource{protocol::kDefaultResource};
  std::uint32_t seconds = 60;

  CLI::App app{"Attest this guest and receive its secret: one attempt, one key.", "attest-guest"};
  app.set_version_flag("--version", "attest-guest " ATTESTBED_VERSION);
  app.footer(kFooter);
  app.add_option("--unix", options.proxy_path, "Unix socket of attest-proxy")->required()->type_name("PATH");
  app.add_option("--firmware", firmware, "SNP firmware: the socket of snp-sim serve")
      ->required()
      ->type_name("unix:PATH");
  app.add_option("--secret-auth", secret_auth,
                 "How the guest knows whose secret it got; 'none' is the only value and must be chosen by name")
      ->type_name("none");
  app.add_option("--resource", resource, "Resource to ask for: repository/type/tag")->capture_default_str();
  CLI::Option* out =
      app.add_option("--out", options.out_file, "Write the secret to a new file of mode 0600")->type_name("FILE");
  CLI::Option* to_stdout = app.add_flag("--stdout", options.to_stdout, "Write the secret to standard output");
  app.add_option("--report", options.report_file, "Keep the attestation report, for attestbed show and verify")
      ->type_name("FILE");
  app.add_flag("--json", options.json, "Write the result as one JSON object to standard output")->excludes(to_stdout);
  to_stdout->excludes(out);
  app.add_option("--timeout", seconds, "Seconds for the whole attempt")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  app.add_flag("--allow-empty-secret", options.config.allow_empty_secret, "Accept a secret of no octets");
  app.add_option("--vmpl", options.vmpl, "VMPL that the report is made for; brokers expect 0")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return {std::nullopt, app.exit(e)};
    return mistake(e.what());
  }
  if (secret_auth != "none") {
    return mistake(
        (secret_auth.empty() ? "--secret-auth is missing" : "--secret-auth has no value '" + secret_auth + "'") +
        ": say '--secret-auth none', since nothing proves yet who sent the secret");
  }
  if (!firmware.starts_with(kUnixScheme) || firmware.size() == kUnixScheme.size()) {
    return mistake("--firmware is 'unix:PATH', found '" + firmware + "'");
  }
  options.firmware_path = firmware.substr(kUnixScheme.size());
  const Result<protocol::ResourcePath> path = protocol::ResourcePath::parse(resource, "--resource");
  if (!path)
    return mistake("--resource '" + resource + "' is not three parts of A-Z a-z 0-9 _ - . with '/' between them");
  options.config.terms.resource = *path;
  options.config.secret_auth = SecretAuth::none;
  options.config.budget = std::chrono::seconds(seconds);
  return {std::move(options), 0};
}

}  // namespace attestbed::guest
