// SPDX-License-Identifier: Apache-2.0
#include "sim/options.h"

#include <iostream>

#include "sim/machine_options.h"
#include "sim/option_values.h"
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
    "  snp-sim report --ca out/ca --version 5 --report-data 00112233 --out out/report.bin\n"
    "  snp-sim reports --count 200 --seed 7 --out out/reports\n"
    "  snp-sim measurement\n"
    "  snp-sim firmware --out out/firmware.fd\n"
    "  snp-sim serve --unix /run/user/1000/snp.sock --ovmf out/firmware.fd --kernel vmlinuz --append console=ttyS0\n"
    "  snp-sim id-block --measurement HEX --id-key id.pem --out-block id.blk --out-auth id.auth\n"
    "  snp-sim kds --listen 127.0.0.1:0\n"
    "  snp-sim device --line /dev/vport0p1\n"
    "Exit status: 0 done, 1 the firmware refused, 2 usage or configuration, 3 could not run.";

void add_serve(CLI::App& app, ServeOptions& into) {
  CLI::App* serve = app.add_subcommand("serve", "be the firmware of guests that connect to a unix socket");
  serve->footer(
      "A connection is a guest. Only processes of the same user may connect (mode 0600, SO_PEERCRED).\n"
      "Prints `ready unix:PATH measurement HEX` on standard output once it listens; ends on SIGTERM or SIGINT.\n"
      "Faults, per guest: N:KIND[:ARG] or N+:KIND[:ARG] (from the Nth request on), KIND one of busy,\n"
      "invalid_len[:PAGES], firmware_status[:CODE], flip_bit:BIT, torn:OCTET, twice, wrong_page, replay, delay:MS,\n"
      "silence.\n"
      "Profiles: fast; gcp-milan, 8 ms a request and ten seconds after ten; slow, 250 ms a request and BUSY for two\n"
      "seconds after each. Protocol: docs/firmware-socket.md");
  serve->add_option("--unix", into.unix_path, "path of the socket")->type_name("PATH")->required();
  serve->add_flag("--force", into.force, "take over a socket on which nobody listens any more");
  add_report_version(serve, "--report-version", into.machine);
  add_machine(serve, into.machine);
  add_guest(serve, into.guest);
  add_host(serve, into.host);
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
      "Writes ark, ask, vcek as .pem and .der, cert_chain.pem and ark.crl, the same of the VLEK line in DIR/vlek,\n"
      "ca.json, and with mode 0600 the private keys as .key and the chip's secret. snpguest reads DIR for reports\n"
      "signed with the VCEK and DIR/vlek for those signed with the VLEK.\n"
      "Without --seed everything is random. A seed gives the same octets each time; seed 1 is public.");
  certs->add_option("--out", into.out, "directory, absent or empty; parents are made")->type_name("DIR")->required();
  certs->add_flag("--force", into.force, "replace the authority that is in the directory");
  add_product(certs, into.product);
  add_tcb(certs, "--tcb", "TCB of VCEK and VLEK where it differs from the product's usual one", into.tcb);
  add_checked(certs, "--csp-id", "cloud provider to whom the VLEK belongs", "TEXT", [&into](const std::string& value) {
    into.csp_id = value;
    return std::string(csp_id_ok(value) ? "" : "must be 1 to 64 printable ASCII characters");
  });
  certs->add_option("--seed", into.seed, "make the keys and certificates repeatable")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_checked(certs, "--not-before", "first moment of validity, as 2025-01-01T00:00:00Z", "TIME",
              [&into](const std::string& value) {
                into.not_before = utc_time(value);
                return std::string(into.not_before ? "" : "must be a UTC time like 2025-01-01T00:00:00Z");
              });
}

void add_kds(CLI::App& app, KdsOptions& into) {
  CLI::App* kds = app.add_subcommand("kds", "be AMD's key distribution service (KDS) for simulated chips");
  kds->footer(
      "Serves /vcek/v1/PRODUCT/{cert_chain,crl,HWID?...SPL=N} and /vlek/v1/PRODUCT/{cert_chain,crl} over HTTP.\n"
      "Prints `ready http://ADDRESS:PORT` on standard output once it listens; ends on SIGTERM or SIGINT.\n"
      "Faults, counted over all requests: N:KIND[:ARG] or N+:KIND[:ARG] (from the Nth on), KIND one of 404,\n"
      "429[:RETRY_AFTER_SECONDS], 500 to 599, delay:MILLISECONDS, garbage, truncate[:OCTETS]. Protocol: docs/kds.md");
  kds->add_option("--listen", into.listen, "numeric address and port; port 0 chooses one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  kds->add_flag("--beyond-loopback", into.beyond_loopback, "allow an address that others can reach");
  kds->add_option("--ca", into.ca_directory,
                  "directory of `snp-sim certs`; default: the PUBLIC TEST KEYS of the default seed, every product")
      ->type_name("DIR");
  kds->add_flag("--revoke", into.revoke, "let every CRL list the ASK and the ASVK");
  kds->add_option("--fault", into.faults, "what happens to a request; repeatable")->type_name("N:KIND[:ARG]");
}

void add_report(CLI::App& app, ReportOptions& into) {
  CLI::App* report = app.add_subcommand("report", "launch a guest and save one attestation report of it");
  report->add_option("--out", into.out, "file for the 1184 octets")->type_name("FILE")->required();
  add_report_version(report, "--version", into.machine);
  add_checked(report, "--key", "key that the guest asks for: vcek, or vlek, which is then loaded", "NAME",
              [&into](const std::string& value) {
                const bool vlek = value == "vlek";
                into.key_sel = vlek ? snp::kKeySelVlek : snp::kKeySelVcek;
                into.machine.load_vlek = into.machine.load_vlek || vlek;
                return std::string(vlek || value == "vcek" ? "" : "must be vcek or vlek");
              });
  add_checked(report, "--report-data", "REPORT_DATA, up to 64 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.report_data); });
  report->add_option("--vmpl", into.vmpl, "VMPL that the report is asked for")->check(CLI::Range(0, 3));
  add_machine(report, into.machine);
  add_guest(report, into.guest);
}

void add_reports(CLI::App& app, ReportsOptions& into) {
  CLI::App* reports = app.add_subcommand("reports", "write many random valid reports, for trying other verifiers");
  reports->footer(
      "Writes NNNN.bin, certificate directories of the default seed's authorities, and index.jsonl: an object a line\n"
      "with report, certs, product, version, key and what else tells reports apart. Same seed, same reports.");
  reports->add_option("--out", into.out, "directory; missing parents are made")->type_name("DIR")->required();
  reports->add_option("--count", into.count, "how many")->check(CLI::Range(1, 9999))->capture_default_str();
  reports->add_option("--seed", into.seed, "which ones")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_id_block(CLI::App& app, IdBlockOptions& into) {
  CLI::App* command = app.add_subcommand("id-block", "make an ID block and sign it as the guest's owner");
  command->footer(
      "The keys are P-384 private keys in PEM, as `openssl ecparam -name secp384r1 -genkey -noout` writes them.\n"
      "The measurement is what `attestbed measure` or `snp-sim measurement` prints.");
  into.block.version = kIdBlockVersion;
  into.block.policy = GuestOptions{}.policy;
  add_checked(command, "--measurement", "launch digest that the guest must have, 48 octets", "HEX",
              [&into](const std::string& value) {
                if (value.size() != 2 * into.block.launch_digest.size()) return std::string("must be 96 hex digits");
                return hex_into(value, into.block.launch_digest);
              })
      ->required();
  command->add_option("--id-key", into.id_key, "key that signs the block")->type_name("PEM")->required();
  command->add_option("--author-key", into.author_key, "key that signs the ID key")->type_name("PEM");
  add_checked(command, "--family-id", "FAMILY_ID, up to 16 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.block.family_id); });
  add_checked(command, "--image-id", "IMAGE_ID, up to 16 octets", "HEX",
              [&into](const std::string& value) { return hex_into(value, into.block.image_id); });
  command
      ->add_option_function<std::uint32_t>(
          "--guest-svn", [&into](std::uint32_t number) { into.block.guest_svn = number; }, "GUEST_SVN; by default 0")
      ->type_name("N");
  add_checked(command, "--policy", "policy that the guest must have, hex (default 30000: SMT allowed)", "HEX",
              [&into](const std::string& value) {
                std::uint64_t policy = 0;
                std::string wrong = hex_number(value, policy);
                if (wrong.empty()) into.block.policy = policy;
                return wrong;
              });
  command->add_option("--out-block", into.out_block, "file for the 96 octets of the block")
      ->type_name("FILE")
      ->required();
  command->add_option("--out-auth", into.out_auth, "file for the 4096 octets beside it")->type_name("FILE")->required();
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
  ReportsOptions reports;
  MeasurementOptions measurement{GuestOptions{}.image};
  FirmwareOptions firmware;
  IdBlockOptions id_block;
  add_serve(app, serve);
  add_certs(app, certs);
  add_report(app, report);
  add_reports(app, reports);
  add_id_block(app, id_block);
  KdsOptions kds;
  add_kds(app, kds);
  DeviceOptions device;
  CLI::App* device_app = app.add_subcommand("device", "be the driver of /dev/sev-guest inside a virtual machine");
  add_device(device_app, device);
  CLI::App* measure = app.add_subcommand("measurement", "print the launch digest of the synthetic guest image");
  measure->add_option("--image", measurement.image, "label of the image")->type_name("LABEL")->capture_default_str();
  CLI::App* firmware_file =
      app.add_subcommand("firmware", "write the synthetic firmware: what a launch measures of an OVMF, and no code");
  firmware_file->add_option("--out", firmware.out, "new or replaced file")->type_name("FILE")->required();
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
  if (app.got_subcommand("reports")) return Command(reports);
  if (app.got_subcommand("id-block")) return Command(id_block);
  if (app.got_subcommand("kds")) return Command(kds);
  if (app.got_subcommand("firmware")) return Command(firmware);
  if (device_app->parsed()) return Command(device);
  return Command(measurement);
}

}  // namespace attestbed::sim
