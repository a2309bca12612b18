// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "sim/ca_description.h"
#include "sim/signing_key.h"

namespace attestbed::sim {

/// kDefaultSeed is the seed whose RSA keys ship with the source (sim/data/README.md): PUBLIC TEST KEYS.
inline constexpr Seed kDefaultSeed = 1;

/// kDefaultCspId is the cloud provider to whom the VLEK belongs unless told otherwise. It is as loud as a chip's id.
inline constexpr char kDefaultCspId[] = "CN=attestbed-sim";

/// CertificateAuthority is a simulated AMD and one chip of its making, with the private keys: ARK -> ASK -> VCEK for
/// the chip, ARK -> ASVK -> VLEK for a cloud provider. VCEK and VLEK keys are derived from the chip's secret, so that
/// each TCB has its own and always the same. Every simulated CHIP_ID, hence also the hardware id in the VCEK, begins
/// with the product's marker: the guest cannot change it, so a verifier that looks sees that no hardware made a report.
class CertificateAuthority {
 public:
  /// Options say what to make.
  ///   seed        the same seed and other options give the same octets; without one everything is random
  ///   tcb         the REPORTED_TCB that VCEK and VLEK stand for; the product's usual one if absent
  ///   not_before  when all certificates begin to be valid (authorities for 25 years, VCEK and VLEK for 7)
  struct Options {
    snp::Product product = snp::Product::milan;
    std::optional<Seed> seed;
    std::optional<snp::Tcb> tcb;
    std::chrono::sys_seconds not_before{};
    std::string csp_id = kDefaultCspId;
  };
  /// create takes seconds (three RSA-4096 keys) except for the default seed. Errors: bad_config for a TCB or CSP_ID
  /// that no certificate can say, internal.
  static Outcome<CertificateAuthority> create(const Options& options);

  /// of_default_seed is what programs use when they are given no directory. Everybody has its keys.
  static Outcome<CertificateAuthority> of_default_seed(snp::Product product);

  /// load reads a directory that save wrote and checks that its files belong together, each against the keys.
  ///   seed    makes the signatures of ARK, ASK and ASVK repeatable; independent of how the keys were made
  ///   errors  io_failed, bad_config; the text names the file and what is wrong with it
  static Outcome<CertificateAuthority> load(const std::string& directory, std::optional<Seed> seed);

  /// save writes two directories as other people's programs read them: `directory` with ark, ask and vcek as .pem and
  /// .der, cert_chain.pem (ASK, then ARK) and ark.crl; in it `vlek` with ark, asvk and vlek likewise, because a vlek
  /// beside a vcek would be taken for every report. Beside them ca.json, and with mode 0600 the private keys as .key
  /// and chip.secret. Missing parents are made; what an earlier save left is replaced, ca.json last.
  /// Errors: io_failed naming the file.
  Outcome<void> save(const std::string& directory) const;

  const Description& description() const { return description_; }
  const ProductProfile& profile() const { return description_.profile(); }
  const snp::ChipId& chip_id() const { return description_.chip_id; }
  Bytes hardware_id() const { return description_.hardware_id(); }
  const snp::Tcb& tcb() const { return description_.tcb; }
  std::chrono::sys_seconds not_before() const { return description_.not_before; }
  const std::string& csp_id() const { return description_.csp_id; }

  const Der& ark() const { return authorities_.ark.der; }
  const Der& ask() const { return authorities_.ask.der; }
  const Der& asvk() const { return authorities_.asvk.der; }
  const Der& vcek() const { return vcek_.der; }
  const Der& vlek() const { return vlek_.der; }
  /// crl is the ARK's revocation list, which revokes nothing. AMD serves one list for each line under its own path.
  const Der& crl() const { return authorities_.crl; }
  /// cert_chain is what the KDS serves for a line: PEM, ASK or ASVK, then ARK, nothing after. Errors: internal.
  Result<std::string> cert_chain(VekLine line) const;

  /// issue_vcek is the VCEK of the chip `hardware_id` (64 octets, on Turin 8) at `tcb`; for the own chip and TCB it is
  /// vcek(). issue_vlek likewise. Equal arguments always mean equal keys, and with a seed equal octets.
  ///   errors  bad_length, bad_config, internal
  Result<Der> issue_vcek(Bytes hardware_id, const snp::Tcb& tcb) const;
  Result<Der> issue_vlek(std::string_view csp_id, const snp::Tcb& tcb) const;

  /// issue_crl is a list of the ARK's that revokes these serials, such as profile().ask_serial. Errors: internal.
  Result<Der> issue_crl(std::span<const std::uint32_t> revoked) const;

  /// at_tcb is the same authority and chip after SNP_CONFIG with another REPORTED_TCB: VCEK and VLEK are other keys.
  /// Errors: bad_config, internal.
  Result<CertificateAuthority> at_tcb(const snp::Tcb& tcb) const;

  /// sign_report signs with the VCEK or VLEK. Errors: bad_value for any other key, internal.
  Result<snp::RawSignature> sign_report(Bytes signed_part, snp::SigningKey key = snp::SigningKey::vcek) const;

  /// chip_secret is what the chip's keys are derived from; whoever knows it can make them all.
  Bytes chip_secret() const { return authorities_.chip->root(); }

 private:
  struct Issued {
    SigningKey key;
    Der der;
  };
  /// Authorities are the parts that do not depend on a TCB.
  struct Authorities {
    SigningKey::Context chip;
    Issued ark, ask, asvk;
    Der crl;
  };
  struct File {
    std::string name;
    std::string content;
  };
  CertificateAuthority(Description description, Authorities authorities, Issued vcek, Issued vlek)
      : description_(std::move(description)),
        authorities_(std::move(authorities)),
        vcek_(std::move(vcek)),
        vlek_(std::move(vlek)) {}

  static Result<CertificateAuthority> make(const Options& options);
  static Result<Issued> issue(const Authorities& authorities, const Description& description, VekLine line);
  Result<std::vector<File>> public_files() const;
  Result<std::vector<File>> private_files() const;

  Description description_;
  Authorities authorities_;
  Issued vcek_, vlek_;
};

/// seeded_not_before is when certificates of a seeded authority begin unless told otherwise: a fixed day, so that the
/// seed alone decides the octets.
inline constexpr std::chrono::sys_seconds seeded_not_before() {
  using namespace std::chrono;
  return sys_days(year(2025) / 1 / 1);
}

}  // namespace attestbed::sim
