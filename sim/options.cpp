// SPDX-License-Identifier: Apache-2.0
#include "sim/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>

#include "core/posix/describe.h"
#include "sim/fault_plan.h"
#include "sim/guest_image.h"
#include "sim/utc_time.h"

namespace attestbed::sim {
namespace {

constexpr char kAbout[] =
    "A simulated SEV-SNP machine: firmware, launch and AMD-like certificates in software.\n"
    "For development and tests. It protects nothing: whoever runs it can make it say anything.\n";
constexpr char kExamples[] =
    "Examples:\n"
    "  snp-sim serve --unix /run/user/1000/snp.sock\n"
    "  snp-sim certs --product Genoa --out out/ca\n"
    "  snp-sim report --ca out/ca --report-data 00112233 --out out/report.bin\n"
    "  snp-sim measurement\n"
    "Exit status: 0 done, 1 the firmware refused, 2 usage or configuration, 3 could not run.";

/// hex_into fills a fixed field from at most as much hex; what is missing at the end is zero.
std::string hex_into(const std::string& text, MutBytes field) {
  std::string octets;
  if (!posix::from_hex(text, octets)) return "must be hex";
  if (octets.size() > field.size()) return "must be at most " + std::to_string(2 * field.size()) + " hex digits";
  std::copy(octets.begin(), octets.end(), field.begin());
  return {};
}

/// Each parser returns what is wrong with a value, empty if nothing: CLI11's own convention.
CLI::Option* add_checked(CLI::App* app, const std::string& name, const std::string& help, const std::string& type,
                         std::function<std::string(const std::string&)> parse) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, parse = std::move(parse)](const std::string& value) {
            const std::string wrong = parse(value);
            if (!wrong.empty()) throw CLI::ValidationError(name, wrong + ", found \"" + value + "\"");
          },
          help)
      ->type_name(type);
}

template <class Target>
CLI::Option* add_product(CLI::App* app, Target& into) {
  return add_checked(app, "--product", "processor line: Milan or Genoa", "NAME", [&into](const std::string& value) {
    const auto product = product_named(value);
    if (product) into = *product;
    return std::string(product ? "" : "must be Milan or Genoa");
  });
}

void add_machine(CLI::App* app, MachineOptions& into) {
  app->add_option("--ca", into.ca_directory,
                  "directory of `snp-sim certs`; default: the PUBLIC TEST KEYS of the default seed")
      ->type_name("DIR");
  add_product(app, into.product);
}

void add_guest(CLI::App* app, GuestOptions& into) {
  app->add_option("--image", into.image, "label from which the synthetic guest image is made")
      ->type_name("LABEL")
      ->capture_default_str();
  add_checked(app, "--policy", "launch policy, hex (default 30000: SMT allowed)", "HEX", [&into](std::string value) {
    if (value.starts_with("0x")) value.erase(0, 2);
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into.policy, 16);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    return std::string(whole ? "" : "must be a 64-bit hex number");
  });
  add_checked(app, "--host-data", "HOST_DATA of the launch, up to 32 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.host_data); });
  app->add_option("--seed", into.seed, "make VMPCKs, REPORT_IDs and signatures repeatable")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
}

void add_serve(CLI::App& app, ServeOptions& into) {
  CLI::App* serve = app.add_subcommand("serve", "be the firmware of guests that connect to a unix socket");
  serve->footer(
      "A connection is a guest. Only processes of the same user may connect (mode 0600, SO_PEERCRED).\n"
      "Prints `ready unix:PATH measurement HEX` on standard output once it listens; ends on SIGTERM or SIGINT.\n"
      "Faults, per guest: N:KIND[:ARG] or N+:KIND[:ARG] (from the Nth request on), KIND one of busy,\n"
      "firmware_status[:CODE], flip_bit:BIT, wrong_page, silence. Protocol: docs/firmware-socket.md");
  serve->add_option("--unix", into.unix_path, "path of the socket")->type_name("PATH")->required();
  serve->add_flag("--force", into.force, "take over a socket on which nobody listens any more");
  add_machine(serve, into.machine);
  add_guest(serve, into.guest);
  serve->add_option("--fault", into.faults, "what the host does to a request of each guest; repeatable")
      ->type_name("N:KIND[:ARG]")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto fault = parse_fault(text);
            return fault ? std::string() : posix::describe(fault.error());
          },
          ""));
  serve->add_option("--idle-timeout", into.idle_seconds, "seconds after which a silent guest is ended")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  serve->add_option("--max-guests", into.max_guests, "guests at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

void add_certs(CLI::App& app, CertsOptions& into) {
  CLI::App* certs = app.add_subcommand("certs", "make a certificate authority and a chip, and save them");
  certs->footer(
      "Writes ark, ask, vcek as .pem and .der, cert_chain.pem, ca.json, and the private keys as .key (mode 0600).\n"
      "Without --seed everything is random. A seed gives the same octets each time; seed 1 is public.");
  certs->add_option("--out", into.out, "directory; missing parents are made")->type_name("DIR")->required();
  add_product(certs, into.product);
  certs->add_option("--seed", into.seed, "make the keys and certificates repeatable")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_checked(certs, "--not-before", "first moment of validity, as 2025-01-01T00:00:00Z", "TIME",
              [&into](const std::string& value) {
                into.not_before = utc_time(value);
                return std::string(into.not_before ? "" : "must be a UTC time like 2025-01-01T00:00:00Z");
              });
}

void add_report(CLI::App& app, ReportOptions& into, std::uint32_t& version) {
  CLI::App* report = app.add_subcommand("report", "launch a guest and save one attestation report of it");
  report->add_option("--out", into.out, "file for the 1184 octets")->type_name("FILE")->required();
  report->add_option("--version", version, "report version")->check(CLI::IsMember({3}))->default_val(3);
  add_checked(report, "--report-data", "REPORT_DATA, up to 64 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.report_data); });
  report->add_option("--vmpl", into.vmpl, "VMPL that the report is asked for")->check(CLI::Range(0, 3));
  add_machine(report, into.machine);
  add_guest(report, into.guest);
}

}  // namespace

std::variant<Command, int> parse_command_line(int argc, char** argv, const char* version) {
  CLI::App app(kAbout, "snp-sim");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("snp-sim ") + version);
  app.require_subcommand(1);
  ServeOptions serve;
  CertsOptions certs;
  ReportOptions report;
  std::uint32_t report_version = 3;
  MeasurementOptions measurement{GuestOptions{}.image};
  add_serve(app, serve);
  add_certs(app, certs);
  add_report(app, report, report_version);
  CLI::App* measure = app.add_subcommand("measurement", "print the launch digest of the synthetic guest image");
  measure->add_option("--image", measurement.image, "label of the image")->type_name("LABEL")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << "snp-sim: " << error.what() << " (see snp-sim --help)\n";
    return 2;
  }
  if (app.got_subcommand("serve")) return Command(serve);
  if (app.got_subcommand("certs")) return Command(certs);
  if (app.got_subcommand("report")) return Command(report);
  return Command(measurement);
}

}  // namespace attestbed::sim
