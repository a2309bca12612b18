// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare.h"

#include <iostream>

#include "core/posix/describe.h"
#include "sim/guest_image.h"
#include "sim/host_certificates.h"

namespace attestbed::sim {
namespace {

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
  // The product's usual bits are shown as far as the version knows them; whoever asks for one wants it shown.
  const std::uint64_t known = platform_info_bits(machine.report_version);
  if (options.platform_info && (*options.platform_info & ~known) != 0) {
    return Error{Errc::bad_config, "PLATFORM_INFO: bits that this report version reserves", *options.platform_info,
                 known};
  }
  machine.current_mit_vector = options.mitigation_vector;
  TRY(tcb_ok(product, machine.committed_tcb));
  TRY(tcb_ok(product, machine.current_tcb));
  // Whoever configures a machine is to change an option, and not to distrust a report.
  if (const Status fits = machine.check(); !fits) return Error{Errc::bad_config, fits.error().where};
  return machine;
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

Outcome<LaunchConfig> prepare(const MachineOptions& machine, const GuestOptions& guest) {
  CertificateAuthority found = TRY(find_authority(machine, guest.seed));
  auto host = configured(std::move(found), machine);
  if (!host) return failure_at("machine", host.error());
  std::vector<LaunchPage> pages = TRY(launched_pages(guest));
  std::optional<SignedIdBlock> id_block = TRY(read_id_block(guest));
  return LaunchConfig{*std::move(host), guest.policy,        guest.host_data,    std::move(pages),
                      guest.seed,       guest.vcek_disabled, std::move(id_block)};
}

Outcome<HostConfig> prepare_host(const HostOptions& options, const Machine& machine) {
  HostConfig host;
  for (const std::string& text : options.faults) {
    const auto fault = parse_fault(text);
    if (!fault) return failure_at("--fault " + text, fault.error());
    host.faults.push_back(*fault);
  }
  const auto profile = throttle_profile_named(options.profile);
  if (!profile) return failure_at("--profile " + options.profile, profile.error());
  host.profile = *profile;
  if (options.certificates) {
    auto table = host_certificates(machine);
    if (!table) return failure_at("certificates", table.error());
    host.certificates = *std::move(table);
  }
  return host;
}

int fail(const Failure& failure, const char* program) {
  const ErrorRow& row = error_row(failure.code);
  std::cerr << program << ": " << row.name << ": " << failure.text << "; " << file_remedy(failure.code) << "\n";
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

}  // namespace attestbed::sim
