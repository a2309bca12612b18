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

Outcome<CertificateAuthority> find_authority(const MachineOptions& options, std::optional<Seed> seed) {
  if (options.ca_directory.empty()) {
    return CertificateAuthority::of_default_seed(options.product.value_or(snp::Product::milan));
  }
  CertificateAuthority authority = TRY(CertificateAuthority::load(options.ca_directory, seed));
  if (options.product && *options.product != authority.profile().product) {
    return Failure{Errc::bad_config, options.ca_directory + ": is for " +
                                         snp::product_name(authority.profile().product) + ", not for --product " +
                                         snp::product_name(*options.product)};
  }
  return authority;
}

/// configured is the machine of the chip after SNP_CONFIG and the like.
Result<Machine> configured(CertificateAuthority found, const MachineOptions& options) {
  const snp::Tcb reported = changed(found.tcb(), options.reported_tcb);
  if (reported != found.tcb()) found = TRY(found.at_tcb(reported));
  const snp::Product product = found.profile().product;
  Machine machine = Machine::of(std::make_shared<const CertificateAuthority>(std::move(found)));
  machine.committed_tcb = changed(reported, options.committed_tcb);
  machine.current_tcb = changed(machine.committed_tcb, options.current_tcb);
  machine.committed_version = options.committed_version.value_or(machine.committed_version);
  machine.current_version = options.current_version.value_or(machine.committed_version);
  machine.report_version = options.report_version;
  machine.vlek_loaded = options.load_vlek;
  machine.mask_chip_id = options.mask_chip_id;
  machine.mask_chip_key = options.mask_chip_key;
  machine.platform_info = options.platform_info.value_or(machine.platform_info);
  machine.current_mit_vector = options.mitigation_vector;
  TRY(tcb_ok(product, machine.committed_tcb));
  TRY(tcb_ok(product, machine.current_tcb));
  // Whoever configures a machine is to change an option, and not to distrust a report.
  if (const Status fits = machine.check(); !fits) return Error{Errc::bad_config, fits.error().where};
  return machine;
}

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

/// read_id_block reads the two files of an owner.
Outcome<std::optional<SignedIdBlock>> read_id_block(const GuestOptions& guest) {
  if (guest.id_block.empty()) return std::optional<SignedIdBlock>();
  constexpr std::size_t kMaxBytes = 2 * sizeof(IdAuth);  // so that a longer file is told its length
  const auto block_octets = posix::read_file(guest.id_block, kMaxBytes);
  if (!block_octets) return failure_at(guest.id_block, block_octets.error());
  const auto auth_octets = posix::read_file(guest.id_auth, kMaxBytes);
  if (!auth_octets) return failure_at(guest.id_auth, auth_octets.error());
  const auto block = parse_id_block(bytes_of(*block_octets));
  if (!block) return failure_at(guest.id_block, block.error());
  const auto auth = parse_id_auth(bytes_of(*auth_octets));
  if (!auth) return failure_at(guest.id_auth, auth.error());
  return std::optional<SignedIdBlock>(SignedIdBlock{*block, *auth, guest.author_key_enabled});
}

Outcome<std::vector<LaunchPage>> launched_pages(const GuestOptions& guest) {
  if (!guest.launch.ovmf.empty()) {
    const LaunchImage image = TRY(load_ovmf_launch(guest.launch));
    return pages_of(image);
  }
  auto pages = synthetic_image(guest.image);
  if (!pages) return failure_at("guest image", pages.error());
  return *std::move(pages);
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

int fail(const Failure& failure) {
  const ErrorRow& row = error_row(failure.code);
  std::cerr << "snp-sim: " << row.name << ": " << failure.text << "; " << row.remedy << "\n";
  switch (failure.code) {
    case Errc::firmware_refused:
    case Errc::firmware_status:
      return 1;
    case Errc::bad_config:
    case Errc::bad_value:
    case Errc::bad_length:
      return 2;
    default:
      return 3;
  }
}

Outcome<LaunchConfig> prepare(const MachineOptions& machine, const GuestOptions& guest) {
  CertificateAuthority found = TRY(find_authority(machine, guest.seed));
  auto host = configured(std::move(found), machine);
  if (!host) return failure_at("machine", host.error());
  std::vector<LaunchPage> pages = TRY(launched_pages(guest));
  std::optional<SignedIdBlock> id_block = TRY(read_id_block(guest));
  return LaunchConfig{*std::move(host), guest.policy,        guest.host_data,    std::move(pages),
                      guest.seed,       guest.vcek_disabled, std::move(id_block)};
}

int run_certs(const CertsOptions& options) {
  print_banner(options.seed == kDefaultSeed);
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
