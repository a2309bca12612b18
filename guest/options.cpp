// SPDX-License-Identifier: Apache-2.0
#include "guest/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

constexpr const char* kFooter = R"(
Without --out and --stdout the secret is counted (the result says how many octets) and then dropped.

Exit status: 0 released, 1 refused, 2 usage or configuration, 3 transport, 4 firmware, 5 the host broke the protocol.

Examples:
  attest-guest --unix /run/attestbed/proxy.sock --firmware unix:/run/attestbed/firmware.sock \
    --secret-auth none --out /run/volume.key
  attest-guest --unix /run/attestbed/proxy.sock --firmware auto --secret-auth none --binding kbs-sha384 --key RSA-3072
  attest-guest --vsock 2:1995 --firmware sev-guest --secret-auth none --out /run/volume.key
  attest-guest --serial /dev/ttyS2 --firmware sev-guest:/dev/sev-guest --secret-auth none --out /run/volume.key
)";

ParsedOptions mistake(std::string_view text) {
  const std::string line(text.substr(0, text.find('\n')));
  std::fprintf(stderr, "attest-guest: %s (see attest-guest --help)\n", line.c_str());
  return {std::nullopt, 2};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
  Options options;
  std::string unix_path, vsock, serial, firmware, secret_auth, resource{protocol::kDefaultResource};
  std::string binding{protocol::binding_name({})}, key{protocol::key_type_name({})};
  std::uint32_t seconds = 60;
  bool certs = false;

  CLI::App app{"Attest this guest and receive its secret: one attempt, one key.", "attest-guest"};
  app.set_version_flag("--version", "attest-guest " ATTESTBED_VERSION);
  app.footer(kFooter);
  app.add_option("--unix", unix_path, "The line to attest-proxy: its unix socket")->type_name("PATH");
  app.add_option("--vsock", vsock, "The line to attest-proxy: its vsock; the host is CID 2, the proxy's port 1995")
      ->type_name("CID:PORT");
  app.add_option("--serial", serial, "The line to attest-proxy: a serial device of this guest")->type_name("DEVICE");
  app.add_option("--firmware", firmware,
                 "SNP firmware: the socket of snp-sim serve; the kernel's device or configfs tree; auto: the device, "
                 "else the tree")
      ->required()
      ->type_name("unix:PATH|sev-guest[:DEVICE]|tsm[:TREE]|auto");
  app.add_flag("--certs", certs, "Ask the host at a firmware socket for certificates, for a broker that has none");
  app.add_option("--secret-auth", secret_auth,
                 "How the guest knows whose secret it got; 'none' is the only value and must be chosen by name")
      ->type_name("none");
  app.add_option("--binding", binding, "The rule that binds key and challenge into the report")
      ->type_name("svsm-sha512|kbs-sha384")
      ->capture_default_str();
  app.add_option("--key", key, "The kind of key the secret is sealed to; all but P-521 need --binding kbs-sha384")
      ->type_name("P-521|P-256|RSA-3072")
      ->capture_default_str();
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
  const int lines = static_cast<int>(app.count("--unix") + app.count("--vsock") + app.count("--serial"));
  if (lines != 1) {
    return mistake(std::string(lines == 0 ? "no line to the proxy" : "more than one line to the proxy") +
                   ": give one of --unix PATH, --vsock CID:PORT, --serial DEVICE");
  }
  if (app.count("--vsock") > 0) {
    const Result<LineAddress> address = parse_vsock(vsock);
    if (!address) return mistake("--vsock is CID:PORT, two decimal numbers below 4294967295, found '" + vsock + "'");
    options.line = *address;
  } else {
    const bool is_serial = app.count("--serial") > 0;
    options.line.kind = is_serial ? LineAddress::Kind::serial : LineAddress::Kind::unix_socket;
    options.line.path = is_serial ? serial : unix_path;
    if (options.line.path.empty()) return mistake(is_serial ? "--serial is empty" : "--unix is empty");
  }
  if (secret_auth != "none") {
    return mistake(
        (secret_auth.empty() ? "--secret-auth is missing" : "--secret-auth has no value '" + secret_auth + "'") +
        ": say '--secret-auth none', since nothing proves yet who sent the secret");
  }
  const Result<FirmwareAddress> firmware_address = parse_firmware(firmware);
  if (!firmware_address) {
    return mistake("--firmware is 'unix:PATH', 'sev-guest[:DEVICE]', 'tsm[:TREE]' or 'auto', found '" + firmware + "'");
  }
  options.firmware = *firmware_address;
  options.firmware.certs = certs;
  const Result<protocol::ResourcePath> path = protocol::ResourcePath::parse(resource, "--resource");
  if (!path)
    return mistake("--resource '" + resource + "' is not three parts of A-Z a-z 0-9 _ - . with '/' between them");
  options.config.terms.resource = *path;
  const Result<protocol::Binding> binding_named = protocol::binding_named(binding, "--binding");
  if (!binding_named) return mistake("--binding is svsm-sha512 or kbs-sha384, found '" + binding + "'");
  const Result<protocol::KeyType> key_named = protocol::key_type_named(key, "--key");
  if (!key_named) return mistake("--key is P-521, P-256 or RSA-3072, found '" + key + "'");
  if (const Status pair = protocol::check_pair(*binding_named, *key_named); !pair) {
    return mistake("--binding " + binding + " --key " + key + ": " + pair.error().where);
  }
  options.config.terms.binding = *binding_named;
  options.config.terms.key = *key_named;
  options.config.secret_auth = SecretAuth::none;
  options.config.budget = std::chrono::seconds(seconds);
  return {std::move(options), 0};
}

}  // namespace attestbed::guest
