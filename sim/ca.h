// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "sim/failure.h"
#include "sim/signing_key.h"

namespace attestbed::sim {

/// kDefaultSeed is the seed whose RSA keys ship with the source (sim/data/README.md): PUBLIC TEST KEYS.
inline constexpr Seed kDefaultSeed = 1;

/// kSimulationMarker begins the CHIP_ID of every simulated chip, hence also the hardware id in its VCEK. The guest
/// cannot change it, so a verifier that looks sees that no hardware made the report.
inline constexpr std::string_view kSimulationMarker = "attestbed-sim";

/// CertificateAuthority is a simulated AMD and one chip of its making: ARK -> ASK -> VCEK, with the private keys.
class CertificateAuthority {
 public:
  /// Options say what to make.
  ///   seed        the same seed, product, tcb and dates give the same octets; without one everything is random
  ///   tcb         the REPORTED_TCB that the VCEK stands for; the product's usual one if absent
  ///   not_before  when all certificates begin to be valid (ARK and ASK for 25 years, VCEK for 7)
  struct Options {
    snp::Product product = snp::Product::milan;
    std::optional<Seed> seed;
    std::optional<snp::Tcb> tcb;
    std::chrono::sys_seconds not_before{};
  };
  /// create takes seconds (two RSA-4096 keys) except for the default seed. Errors: bad_config for a product that is not
  /// simulated, internal.
  static Outcome<CertificateAuthority> create(const Options& options);

  /// of_default_seed is what programs use when they are given no directory. Everybody has its keys.
  static Outcome<CertificateAuthority> of_default_seed(snp::Product product);

  /// load reads a directory that save wrote and checks that its files belong together, each against the keys.
  ///   seed    makes the signatures repeatable; independent of how the keys were made
  ///   errors  io_failed, bad_config; the text names the file and what is wrong with it
  static Outcome<CertificateAuthority> load(const std::string& directory, std::optional<Seed> seed);

  /// save writes ark, ask and vcek as .pem and .der, cert_chain.pem (ASK, then ARK), ca.json, and ark.key, ask.key and
  /// vcek.key with mode 0600. Missing parents are made; what an earlier save left is replaced, ca.json last.
  /// Errors: io_failed naming the file.
  Outcome<void> save(const std::string& directory) const;

  const ProductProfile& profile() const { return *profile_; }
  const snp::ChipId& chip_id() const { return chip_id_; }
  const snp::Tcb& tcb() const { return tcb_; }
  std::chrono::sys_seconds not_before() const { return not_before_; }
  const Der& ark() const { return ark_.der; }
  const Der& ask() const { return ask_.der; }
  const Der& vcek() const { return vcek_.der; }

  /// sign_report signs with the VCEK. Errors: internal.
  Result<snp::RawSignature> sign_report(Bytes signed_part) const { return vcek_.key.sign_report(signed_part); }

 private:
  struct Issued {
    SigningKey key;
    Der der;
  };
  struct Keys {
    SigningKey ark, ask, vcek;
  };
  struct SignedParts {
    Der ark, ask, vcek;
  };
  struct File {
    std::string name;
    std::string content;
  };
  CertificateAuthority(const ProductProfile& profile, const snp::ChipId& chip_id, const snp::Tcb& tcb,
                       std::chrono::sys_seconds not_before, Issued ark, Issued ask, Issued vcek)
      : profile_(&profile),
        chip_id_(chip_id),
        tcb_(tcb),
        not_before_(not_before),
        ark_(std::move(ark)),
        ask_(std::move(ask)),
        vcek_(std::move(vcek)) {}

  static Result<CertificateAuthority> make(const Options& options);
  static Result<SignedParts> signed_parts(const ProductProfile& profile, const snp::ChipId& chip_id,
                                          const snp::Tcb& tcb, std::chrono::sys_seconds not_before, const Keys& keys);
  Result<std::vector<File>> public_files() const;

  const ProductProfile* profile_;
  snp::ChipId chip_id_;
  snp::Tcb tcb_;
  std::chrono::sys_seconds not_before_;
  Issued ark_, ask_, vcek_;
};

/// seeded_not_before is when certificates of a seeded authority begin unless told otherwise: a fixed day, so that the
/// seed alone decides the octets.
inline constexpr std::chrono::sys_seconds seeded_not_before() {
  using namespace std::chrono;
  return sys_days(year(2025) / 1 / 1);
}

}  // namespace attestbed::sim
