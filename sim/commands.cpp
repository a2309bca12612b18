// SPDX-License-Identifier: Apache-2.0
#include "sim/commands.h"

#include <sys/stat.h>

#include <filesystem>
#include <iostream>

#include "core/posix/clock.h"
#include "core/posix/describe.h"
#include "core/snp/guest_channel.h"
#include "sim/firmware.h"
#include "sim/guest_image.h"
#include "sim/synthetic_firmware.h"

namespace attestbed::sim {
namespace {

constexpr std::chrono::seconds kReportBudget(30);

/// ask_for_report takes the road of every guest: secrets page, VMPCK, guest message.
Result<snp::RawReport> ask_for_report(const LaunchConfig& config, const ReportOptions& options) {
  GuestContext guest = TRY(launch_guest(config, 1));
  Firmware firmware(config.machine, std::move(guest));
  snp::Page secrets = firmware.guest().secrets_page(config.machine);
  auto key = snp::vmpck_from_secrets_page(secrets, 0);
  wipe(secrets);
  if (!key) return key.error();
  posix::SteadyClock clock;
  snp::ChannelPages pages;
  snp::GuestChannel::Options channel_options;
  channel_options.vmpl = options.vmpl;
  channel_options.key_sel = options.key_sel;
  snp::GuestChannel channel(*std::move(key), firmware, clock, pages, channel_options);
  const Evidence evidence = TRY(channel.report(options.report_data, clock.now() + kReportBudget));
  return evidence.report;
}

/// print_banner says what nobody may overlook; `serve` says it in its log.
void print_banner(bool public_keys) {
  std::cerr << "snp-sim: *** SIMULATED SEV-SNP: no hardware, no security"
            << (public_keys ? "; PUBLIC TEST KEYS, which everybody has" : "; test keys") << " ***\n";
}

/// check_vacant keeps an authority from being lost: what its keys signed could never be verified again.
Outcome<void> check_vacant(const std::string& directory) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  if (error) return Failure{Errc::io_failed, directory + ": cannot be read: " + error.message()};
  if (entries == std::filesystem::directory_iterator()) return {};
  return Failure{Errc::bad_config, directory + ": expected no directory or an empty one, found " +
                                       entries->path().filename().string() +
                                       " in it: give another --out, or --force to replace the authority that is there"};
}

}  // namespace

Outcome<void> write_public_file(const std::string& path, Bytes octets) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return Failure{Errc::io_failed, parent.string() + ": cannot be made: " + error.message()};
  const Status written = posix::replace_file_private(path, octets);
  if (!written) return failure_at(path, written.error());
  if (::chmod(path.c_str(), 0644) != 0) return Failure{Errc::io_failed, path + ": chmod failed"};
  return {};
}

int run_certs(const CertsOptions& options) {
  print_banner(options.seed == kDefaultSeed);
  if (const auto vacant = check_vacant(options.out); !options.force && !vacant) return fail(vacant.error());
  using std::chrono::system_clock;
  // A seeded authority depends on nothing but its inputs, so not on today either.
  const auto now = std::chrono::floor<std::chrono::seconds>(system_clock::now());
  const auto not_before = options.not_before.value_or(options.seed ? seeded_not_before() : now);
  const auto authority = CertificateAuthority::create({.product = options.product,
                                                       .seed = options.seed,
                                                       .tcb = changed(profile_of(options.product).tcb, options.tcb),
                                                       .not_before = not_before,
                                                       .csp_id = options.csp_id});
  if (!authority) return fail(authority.error());
  if (const auto saved = authority->save(options.out); !saved) return fail(saved.error());
  std::cout << "wrote " << options.out << ": " << snp::product_name(options.product) << ", chip "
            << posix::to_hex(authority->hardware_id()) << "\n";
  return 0;
}

int run_report(const ReportOptions& options) {
  print_banner(options.machine.ca_directory.empty());
  const auto config = prepare(options.machine, options.guest);
  if (!config) return fail(config.error());
  const auto report = ask_for_report(*config, options);
  if (!report) return fail(failure_at("report", report.error()));
  if (const auto written = write_public_file(options.out, octets_of(*report)); !written) return fail(written.error());
  std::cout << "wrote " << options.out << ": measurement " << posix::to_hex(report->measurement) << "\n";
  return 0;
}

int run_measurement(const MeasurementOptions& options) {
  const auto pages = synthetic_image(options.image);
  if (!pages) return fail(failure_at("guest image", pages.error()));
  const auto measurement = measure(*pages);
  if (!measurement) return fail(failure_at("guest image", measurement.error()));
  std::cout << posix::to_hex(*measurement) << "\n";
  return 0;
}

int run_firmware(const FirmwareOptions& options) {
  const auto firmware = synthetic_firmware();
  if (!firmware) return fail(failure_at("synthetic firmware", firmware.error()));
  if (const auto written = write_public_file(options.out, *firmware); !written) return fail(written.error());
  std::cout << "wrote " << options.out << ": what a launch measures of an OVMF, and no code\n";
  return 0;
}

}  // namespace attestbed::sim
