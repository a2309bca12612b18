// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/verify/certificate.h"
#include "core/verify/crl.h"

namespace attestbed::kds {

using verify::Checked;
using verify::Refusal;

/// Hierarchy is which intermediate signs: the ASK, which signs VCEKs, or the ASVK, which signs VLEKs.
enum class Hierarchy { vcek, vlek };

/// Request is one thing that a KDS has. Its target is its identity: what is asked for, and the key of every cache.
class Request {
 public:
  enum class Kind { cert_chain, vcek, crl };

  /// cert_chain asks for the intermediate and the ARK, in PEM.
  static Request cert_chain(snp::Product product, Hierarchy hierarchy);
  static Request crl(snp::Product product, Hierarchy hierarchy);
  /// vcek asks for the certificate of one chip at one TCB. Turin's chips have 8 octets of id, and an fmcSPL.
  ///   errors  kds_chip_masked for a CHIP_ID of zeros; bad_length for a Turin CHIP_ID with octets beyond the eighth
  static Checked<Request> vcek(snp::Product product, const snp::ChipId& chip_id, const snp::Tcb& tcb);

  Kind kind() const { return kind_; }
  /// target is path and query as AMD's KDS takes them: "/vcek/v1/Milan/cert_chain".
  const std::string& target() const { return target_; }
  /// name says what it is in a file name: "vcek-Milan", "crl-Genoa", "vlek_chain-Turin".
  const std::string& name() const { return name_; }
  /// max_octets bounds an honest answer.
  std::size_t max_octets() const;

  /// check_answer holds `octets` against the request: one VCEK in DER for this chip and TCB; in PEM the intermediate,
  /// then the ARK, of this product, and nothing behind; one CRL in DER of this product's ARK. It says what was sent,
  /// not that it is true: no signature is looked at here.
  ///   source  where the octets come from, for messages and as the certificates' source
  ///   errors  kds_malformed
  Checked<void> check_answer(Bytes octets, const std::string& source) const;

 private:
  Request(Kind kind, snp::Product product, Hierarchy hierarchy, std::string target, std::string name)
      : kind_(kind), product_(product), hierarchy_(hierarchy), target_(std::move(target)), name_(std::move(name)) {}

  Kind kind_;
  snp::Product product_;
  Hierarchy hierarchy_;
  std::string target_, name_;
  std::vector<std::uint8_t> hardware_id_;  // of a VCEK, as is its tcb_
  snp::Tcb tcb_;
};

}  // namespace attestbed::kds
