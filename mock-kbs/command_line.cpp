// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "core/protocol/resource_path.h"
#include "mock-kbs/options.h"

namespace attestbed::kbs {
namespace {

constexpr char kDescription[] =
    "mock-kbs: a key broker that really verifies SEV-SNP evidence (KBS protocol 0.4.0), for tests and demonstrations.\n"
    "It releases secrets to guests whose measurement, chain, signature and key binding hold; the reason of every\n"
    "refusal is one JSON line on standard error. When it listens it prints `ready http://ADDRESS:PORT`.";
constexpr char kFooter[] =
    "Example:\n"
    "  mock-kbs --root ca/ark.pem --certs ca --measurement $(cat guest.digest) --secret-file secret.bin\n"
    "Exit: 0 stopped by a signal, 2 usage or configuration, 3 could not run.";

std::pair<std::string, std::string> split_resource(const std::string& text) {
  const std::size_t equals = text.find('=');
  return {text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
  CommandLine line;
  GuestOptions guest;
  guest.origin = "command line";
  guest.name = "command-line";
  std::vector<std::string> resources;
  std::vector<std::string> secret_files;
  CLI::App app(kDescription, "mock-kbs");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("mock-kbs ") + ATTESTBED_VERSION);
  app.add_option("--listen", line.options.listen, "numeric address and port; port 0 chooses one (127.0.0.1:8080)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--measurement", guest.measurements, "launch measurement to accept, 96 hex digits; repeatable")
      ->type_name("HEX")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--root", guest.roots, "root certificate (ARK) to trust, or `amd` for AMD's; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--binding", guest.binding, "how guests of these measurements bind their key (svsm-sha512)")
      ->type_name("NAME");
  app.add_option("--certs", line.options.certs, "VCEK or VLEK and intermediate certificates; repeatable")
      ->type_name("FILE|DIR")
      ->allow_extra_args(false);
  app.add_option("--resource", resources, "secret to release at repository/type/tag; repeatable")
      ->type_name("PATH=FILE")
      ->allow_extra_args(false);
  app.add_option("--secret-file", secret_files, "the secret of default/sample/test")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--config", line.config_file, "configuration file, see docs/examples/mock-kbs.toml")
      ->type_name("FILE.toml");
  ServiceOptions& service = line.options.service;
  app.add_option("--tls-cert", service.tls_certificate, "serve https with this certificate (and intermediates)")
      ->type_name("FILE.pem");
  app.add_option("--tls-key", service.tls_key, "the certificate's private key")->type_name("FILE.pem");
  app.add_option("--tls-client-ca", service.tls_client_ca, "demand client certificates under these roots")
      ->type_name("FILE.pem");
  app.add_option("--admin-listen", service.admin_listen, "admin API: loopback address and port; port 0 chooses one")
      ->type_name("ADDRESS:PORT");
  app.add_option("--admin-token-file", service.admin_token_file, "the Bearer token of the admin API, on one line")
      ->type_name("FILE");
  app.add_option("--parity", service.parity,
                 "answer as `kbs-test` does: 417, its cookie, its token; judged all the same")
      ->type_name("NAME");
  app.add_option("--fault", service.faults, "answer wrongly: ENDPOINT:N:KIND, see --faults; repeatable")
      ->type_name("FAULT")
      ->allow_extra_args(false);
  app.add_option("--fault-seed", service.fault_seed, "what is arbitrary about faults is the same for the same seed (0)")
      ->type_name("N");
  app.add_flag_callback(
      "--faults",
      [] {
        std::cout << "ENDPOINT[@session=K|@guest=NAME]:N|N+|1/N:KIND[:ARGUMENT]\n" << fault_help();
        throw CLI::Success();
      },
      "list the kinds of faults and exit");
  app.add_option("--log-level", line.options.log_level, "debug, info, warning or error (info)")->type_name("LEVEL");
  TlsCaCommand tls_ca;
  std::vector<std::string> names;
  CLI::App* const ca = app.add_subcommand("tls-ca", "make a CA for tests, with certificates for a broker and a proxy");
  ca->add_option("--out", tls_ca.directory, "new directory: ca.pem, server.pem, server.key, client.pem, client.key")
      ->type_name("DIR")
      ->required();
  ca->add_option("--name", names, "host name or address of the broker; repeatable (127.0.0.1, ::1, localhost)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  ca->add_option("--days", tls_ca.ca.days, "how long the certificates hold (30)")->type_name("N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      line.exit_code = app.exit(error);
    } else {
      std::cerr << "mock-kbs: " << error.what() << "; see mock-kbs --help\n";
      line.exit_code = 2;
    }
    return line;
  }
  if (ca->parsed()) {
    if (!names.empty()) tls_ca.ca.names = names;
    line.tls_ca = std::move(tls_ca);
    return line;
  }
  for (const std::string& resource : resources) guest.resources.push_back(split_resource(resource));
  for (const std::string& file : secret_files) guest.resources.emplace_back(protocol::kDefaultResource, file);
  if (!guest.measurements.empty() || !guest.roots.empty() || !guest.resources.empty()) {
    line.options.guests.push_back(std::move(guest));
  }
  return line;
}

}  // namespace attestbed::kbs
