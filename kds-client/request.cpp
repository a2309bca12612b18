// SPDX-License-Identifier: Apache-2.0
#include "kds-client/request.h"

#include <algorithm>

namespace attestbed::kds {
namespace {

using verify::Certificate;

constexpr std::size_t kTurinIdBytes = 8;

const char* hierarchy_name(Hierarchy hierarchy) {
  return hierarchy == Hierarchy::vcek ? "vcek" : "vlek";
}

std::string folder(snp::Product product, Hierarchy hierarchy) {
  return std::string("/") + hierarchy_name(hierarchy) + "/v1/" + snp::product_name(product) + "/";
}

// AMD's own examples have two digits; its service takes fewer as well.
std::string level(const char* name, std::uint8_t value) {
  return std::string(name) + "=" + (value < 10 ? "0" : "") + std::to_string(value);
}

Refusal wrong(const std::string& source, std::string expected, std::string found) {
  return {Errc::kds_malformed, verify::printable(source, 300), std::move(expected), std::move(found)};
}

Checked<std::vector<Certificate>> certificates_in(Bytes octets, const std::string& source) {
  Checked<std::vector<Certificate>> parsed = Certificate::parse(octets, source);
  if (!parsed) return wrong(source, parsed.error().expected, parsed.error().found);
  return parsed;
}

bool is_pem(Bytes octets) {
  return text_of(octets).find("-----BEGIN ") != std::string_view::npos;
}

}  // namespace

Request Request::cert_chain(snp::Product product, Hierarchy hierarchy) {
  return {Kind::cert_chain, product, hierarchy, folder(product, hierarchy) + "cert_chain",
          std::string(hierarchy_name(hierarchy)) + "_chain-" + snp::product_name(product)};
}

Request Request::crl(snp::Product product, Hierarchy hierarchy) {
  return {Kind::crl, product, hierarchy, folder(product, hierarchy) + "crl",
          std::string(hierarchy_name(hierarchy)) + "_crl-" + snp::product_name(product)};
}

Checked<Request> Request::vcek(snp::Product product, const snp::ChipId& chip_id, const snp::Tcb& tcb) {
  const auto is_zero = [](std::uint8_t octet) { return octet == 0; };
  if (std::ranges::all_of(chip_id, is_zero)) return Refusal{Errc::kds_chip_masked, "CHIP_ID", "a chip's", "zeros"};
  const bool turin = product == snp::Product::turin;
  const Bytes id = Bytes(chip_id).first(turin ? kTurinIdBytes : chip_id.size());
  if (turin && !std::ranges::all_of(Bytes(chip_id).subspan(kTurinIdBytes), is_zero)) {
    return Refusal{Errc::bad_length, "CHIP_ID", "8 octets and zeros, as Turin has them", "more"};
  }
  std::string target = folder(product, Hierarchy::vcek) + verify::hex_text(id) + "?";
  if (turin) target += level("fmcSPL", tcb.fmc) + "&";
  target += level("blSPL", tcb.boot_loader) + "&" + level("teeSPL", tcb.tee) + "&" + level("snpSPL", tcb.snp) + "&" +
            level("ucodeSPL", tcb.microcode);
  Request request(Kind::vcek, product, Hierarchy::vcek, std::move(target),
                  std::string("vcek-") + snp::product_name(product));
  request.hardware_id_.assign(id.begin(), id.end());
  request.tcb_ = tcb;
  return request;
}

std::size_t Request::max_octets() const {
  switch (kind_) {
    case Kind::cert_chain:
      return verify::kMaxPemBytes;
    case Kind::vcek:
      return verify::kMaxCertificateBytes;
    case Kind::crl:
      break;
  }
  return verify::kMaxCrlBytes;
}

Checked<void> Request::check_answer(Bytes octets, const std::string& source) const {
  const std::string product = snp::product_name(product_);
  if (kind_ == Kind::crl) {
    const Checked<verify::Crl> crl = verify::Crl::parse(octets, source);
    if (!crl) return wrong(source, crl.error().expected, crl.error().found);
    if (crl->issuer() == "ARK-" + product && !is_pem(octets)) return {};
    return wrong(source, "the CRL of ARK-" + product + " in DER", "one of " + crl->issuer());
  }
  const std::vector<Certificate> certificates = TRY(certificates_in(octets, source));
  if (kind_ == Kind::vcek) {
    const auto& vcek = certificates.front();
    if (is_pem(octets) || vcek.kind() != Certificate::Kind::vcek || !vcek.vek_extensions()) {
      return wrong(source, "a VCEK in DER", verify::printable(vcek.common_name()) + ", or another form");
    }
    const auto& said = *vcek.vek_extensions();
    if (said.product == product_ && said.hardware_id == hardware_id_ && said.tcb == tcb_) return {};
    return wrong(source, "the VCEK of this product, chip and TCB", "one of another");
  }
  const auto intermediate = hierarchy_ == Hierarchy::vcek ? Certificate::Kind::ask : Certificate::Kind::asvk;
  const std::string issuer = (hierarchy_ == Hierarchy::vcek ? "SEV-" : "SEV-VLEK-") + product;
  const bool as_asked = is_pem(octets) && certificates.size() == 2 && certificates[0].kind() == intermediate &&
                        certificates[0].common_name() == issuer && certificates[1].common_name() == "ARK-" + product;
  if (as_asked) return {};
  return wrong(source, issuer + ", then ARK-" + product + ", in PEM", std::to_string(certificates.size()) + " others");
}

}  // namespace attestbed::kds
