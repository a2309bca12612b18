// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/wire.h"
#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/make_report.h"
#include "sim/seeded_entropy.h"

// Reports that differ in everything a verifier may look at, each valid, for verifiers that others wrote.
namespace attestbed::sim {
namespace {

constexpr snp::Product kProducts[] = {snp::Product::milan, snp::Product::genoa, snp::Product::turin};
constexpr std::uint32_t kVersions[] = {2, 3, 5};
constexpr std::size_t kTcbsEach = 4;

/// Choices draws from a seed.
class Choices {
 public:
  explicit Choices(Seed seed) : entropy_(seed, "random reports") {}
  std::uint64_t number() {
    le64 octets = 0;
    fill({reinterpret_cast<std::uint8_t*>(&octets), sizeof octets});
    return octets;
  }
  std::uint64_t below(std::uint64_t bound) { return number() % bound; }
  bool once_in(std::uint64_t times) { return below(times) == 0; }
  void fill(MutBytes into) { good_ = entropy_.fill(into).has_value() && good_; }
  bool good() const { return good_; }

 private:
  SeededEntropy entropy_;
  bool good_ = true;
};

/// level is at most 127, as verifiers accept it, with room for a higher one above.
std::uint8_t level(Choices& choices) {
  return static_cast<std::uint8_t>(choices.below(120));
}

snp::Tcb random_tcb(Choices& choices, snp::Product product) {
  snp::Tcb tcb;
  tcb.boot_loader = level(choices);
  tcb.tee = level(choices);
  tcb.snp = level(choices);
  if (product == snp::Product::turin) tcb.fmc = level(choices);
  tcb.microcode = static_cast<std::uint8_t>(choices.below(248));
  return tcb;
}

snp::Tcb raised(Choices& choices, snp::Tcb tcb) {
  tcb.snp = static_cast<std::uint8_t>(tcb.snp + choices.below(3));
  tcb.microcode = static_cast<std::uint8_t>(tcb.microcode + choices.below(3));
  return tcb;
}

snp::FirmwareVersion random_version(Choices& choices) {
  // Room for a higher one above, and an ABI that every policy below allows.
  const auto number = [&](std::uint64_t bound) { return static_cast<std::uint8_t>(choices.below(bound)); };
  return {
      .build = number(250), .minor = static_cast<std::uint8_t>(0x20 + number(0x80)), .major = number(3), .reserved = 0};
}

/// newer is the same version or one that a host may run before it commits it. No number falls, though below a higher
/// one it might: go-sev-guest compares the build whatever the minor is.
snp::FirmwareVersion newer(Choices& choices, snp::FirmwareVersion version) {
  switch (choices.below(3)) {
    case 0:
      break;
    case 1:
      version.build = static_cast<std::uint8_t>(version.build + 1 + choices.below(5));
      break;
    default:
      version.minor = static_cast<std::uint8_t>(version.minor + 1);
      version.build = static_cast<std::uint8_t>(version.build + choices.below(250U - version.build));
  }
  return version;
}

struct Authority {
  std::string directory;  // below --out
  std::shared_ptr<const CertificateAuthority> it;
};

struct Drawn {
  Machine machine;
  GuestContext guest;
  ReportRequest request;
};

Drawn draw(Choices& choices, const Authority& authority, std::uint32_t version) {
  Drawn out{Machine::of(authority.it), {}, {}};
  Machine& machine = out.machine;
  machine.report_version = version;
  if (choices.once_in(2)) machine.committed_tcb = raised(choices, machine.committed_tcb);
  machine.current_tcb = choices.once_in(2) ? machine.committed_tcb : raised(choices, machine.committed_tcb);
  machine.committed_version = random_version(choices);
  machine.current_version = newer(choices, machine.committed_version);
  machine.platform_info = choices.below(0x40);
  machine.current_mit_vector = choices.number();
  machine.vlek_loaded = choices.once_in(2);
  machine.mask_chip_id = choices.once_in(4);
  machine.mask_chip_key = machine.vlek_loaded && choices.once_in(4);
  out.request.key = machine.vlek_loaded ? snp::SigningKey::vlek : snp::SigningKey::vcek;
  out.request.vmpl = static_cast<std::uint32_t>(choices.below(4));
  choices.fill(out.request.report_data);

  GuestContext& guest = out.guest;
  // Bits 25:18 as they come and as the version knows them, the required bit 17, SMT allowed, an ABI that the firmware
  // has; and of RAPL and ciphertext hiding no more than the platform has, or the guest would not have been launched.
  guest.policy = snp::kPolicyReservedOne | snp::kPolicySmtAllowed;
  guest.policy |= choices.below(1ULL << 8) << 18;
  guest.policy &= snp::policy_bits(version);
  if ((machine.platform_info >> 3 & 1) == 0) guest.policy &= ~(1ULL << 23);
  if ((machine.platform_info >> 4 & 1) == 0) guest.policy &= ~(1ULL << 24);
  guest.policy |= choices.below(0x20);
  choices.fill(guest.measurement);
  choices.fill(guest.host_data);
  choices.fill(guest.report_id);
  // Launched before an update or after it.
  guest.launch_tcb = choices.once_in(2) ? machine.committed_tcb : machine.current_tcb;
  guest.launch_mit_vector = choices.number();
  if (choices.once_in(2)) {
    guest.guest_svn = static_cast<std::uint32_t>(choices.number());
    choices.fill(guest.family_id);
    choices.fill(guest.image_id);
    choices.fill(guest.id_key_digest);
    guest.author_key_enabled = choices.once_in(2);
    if (guest.author_key_enabled) choices.fill(guest.author_key_digest);
  }
  return out;
}

std::string version_text(const snp::FirmwareVersion& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.build);
}

std::string index_line(const std::string& name, const Authority& authority, const Drawn& drawn) {
  const bool vlek = drawn.request.key == snp::SigningKey::vlek;
  const nlohmann::ordered_json json = {
      {"report", name},
      {"certs", authority.directory + (vlek ? "/vlek" : "")},
      {"product", snp::product_name(authority.it->profile().product)},
      {"version", drawn.machine.report_version},
      {"key", vlek ? "vlek" : "vcek"},
      {"chip_id_masked", drawn.machine.mask_chip_id},
      {"chip_key_masked", drawn.machine.mask_chip_key},
      {"id_block", drawn.guest.id_key_digest != KeyDigest{}},
      {"author_key", drawn.guest.author_key_enabled},
      {"policy", drawn.guest.policy},
      {"vmpl", drawn.request.vmpl},
      {"committed_is_current", drawn.machine.committed_tcb == drawn.machine.current_tcb},
      {"committed_version", version_text(drawn.machine.committed_version)},
      {"current_version", version_text(drawn.machine.current_version)},
  };
  return json.dump() + "\n";
}

Outcome<std::vector<Authority>> make_authorities(const std::string& out, Choices& choices) {
  std::vector<Authority> all;
  for (const snp::Product product : kProducts) {
    const CertificateAuthority base = TRY(CertificateAuthority::of_default_seed(product));
    for (std::size_t number = 0; number < kTcbsEach; ++number) {
      Result<CertificateAuthority> one = base.at_tcb(random_tcb(choices, product));
      if (!one) return failure_at("certificate authority", one.error());
      const std::string directory = std::string(snp::product_name(product)) + "-" + std::to_string(number);
      TRY(one->save(out + "/" + directory));
      all.push_back({directory, std::make_shared<const CertificateAuthority>(*std::move(one))});
    }
  }
  return all;
}

Outcome<void> write_reports(const ReportsOptions& options) {
  Choices choices(options.seed);
  const std::vector<Authority> authorities = TRY(make_authorities(options.out, choices));
  std::string index;
  for (std::uint32_t number = 0; number < options.count; ++number) {
    // Every product and version in turn, so that a few reports already hold each pair.
    const std::size_t product = number % std::size(kProducts);
    const std::uint32_t version = kVersions[number / std::size(kProducts) % std::size(kVersions)];
    const Authority& authority = authorities[product * kTcbsEach + choices.below(kTcbsEach)];
    const Drawn drawn = draw(choices, authority, version);
    const Result<snp::RawReport> report = make_report(drawn.machine, drawn.guest, drawn.request);
    if (!report) return failure_at("report " + std::to_string(number), report.error());
    std::string digits = std::to_string(number);
    const std::string name = digits.insert(0, 4 - digits.size(), '0') + ".bin";
    const std::string path = options.out + "/" + name;
    const Status written = posix::replace_file_private(path, octets_of(*report));
    if (!written) return failure_at(path, written.error());
    index += index_line(name, authority, drawn);
  }
  if (!choices.good()) return Failure{Errc::internal, "seeded entropy"};
  const std::string path = options.out + "/index.jsonl";
  const Status written = posix::replace_file_private(path, bytes_of(index));
  if (!written) return failure_at(path, written.error());
  return {};
}

}  // namespace

int run_reports(const ReportsOptions& options) {
  std::cerr << "snp-sim: *** SIMULATED SEV-SNP: no hardware, no security; PUBLIC TEST KEYS, which everybody has ***\n";
  if (const auto written = write_reports(options); !written) return fail(written.error());
  std::cout << "wrote " << options.out << ": " << options.count << " reports, index.jsonl\n";
  return 0;
}

}  // namespace attestbed::sim
