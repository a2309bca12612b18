// SPDX-License-Identifier: Apache-2.0
#include "core/verify/crl.h"

#include <openssl/pem.h>

#include <algorithm>
#include <optional>

#include "core/verify/certificate_impl.h"
#include "core/verify/public_key.h"
#include "core/verify/x509_rules.h"

namespace attestbed::verify {

struct Crl::Impl {
  openssl::X509CrlHandle crl;
  std::vector<std::uint8_t> der;
  std::string source, issuer;
  Time this_update, next_update;
};

namespace {

Refusal malformed(const std::string& source, std::string expected, std::string found) {
  return {Errc::crl_malformed, printable(source), std::move(expected), std::move(found)};
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "(no common name)";
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                    static_cast<std::size_t>(ASN1_STRING_length(value))});
}

/// der_of_pem takes the one block out of a PEM text.
Checked<std::vector<std::uint8_t>> der_of_pem(Bytes pem, const std::string& source) {
  const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char *label = nullptr, *header = nullptr;
  unsigned char* octets = nullptr;
  long size = 0;
  const bool read = bio && PEM_read_bio(bio.get(), &label, &header, &octets, &size) == 1;
  const openssl::Octets owners[] = {openssl::Octets(reinterpret_cast<unsigned char*>(label)),
                                    openssl::Octets(reinterpret_cast<unsigned char*>(header)), openssl::Octets(octets)};
  if (!read) return malformed(source, "PEM with BEGIN, base64 and END", "a block that is cut off or damaged");
  if (std::string_view(label) != "X509 CRL" || *header != '\0') {
    return malformed(source, "an X509 CRL block", printable(label, 40));
  }
  std::vector<std::uint8_t> der(octets, octets + size);
  char *next_label = nullptr, *next_header = nullptr;
  unsigned char* next = nullptr;
  const bool more = PEM_read_bio(bio.get(), &next_label, &next_header, &next, &size) == 1;
  const openssl::Octets next_owners[] = {openssl::Octets(reinterpret_cast<unsigned char*>(next_label)),
                                         openssl::Octets(reinterpret_cast<unsigned char*>(next_header)),
                                         openssl::Octets(next)};
  if (more) return malformed(source, "one X509 CRL block", "another block behind it");
  return der;
}

bool is_canonical(X509_CRL* crl, Bytes der) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_CRL(crl, &encoded);
  const openssl::Octets owner(encoded);
  return length > 0 && std::ranges::equal(Bytes(encoded, static_cast<std::size_t>(length)), der);
}

std::optional<std::string> critical_extension(const X509_CRL* crl) {
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl, i);
    if (X509_EXTENSION_get_critical(extension) == 0) continue;
    char oid[80];
    OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(extension), 1);
    return oid;
  }
  return std::nullopt;
}

bool lists(const Crl& crl, const Certificate& certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(x509_of(certificate));
  const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.impl().crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    // Whatever else an entry says (a reason, a hold): who is listed is not trusted.
    if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)), serial) == 0) return true;
  }
  return false;
}

Checked<void> check_signature(const Crl& crl, const Certificate& root) {
  const openssl::ErrorScope errors;
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl.impl().crl.get(), &signature, &algorithm);
  const Bytes octets(ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature)));
  const bool whole_octets = (signature->flags & 0x07) == 0;
  const bool good = is_amd_pss(algorithm) && whole_octets && is_rsa_4096(root) &&
                    verifies_pss(key_of(root), tbs_octets(crl.impl().der), octets);
  if (good) return {};
  return Refusal{Errc::crl_signature, printable(crl.source(), 160), "a signature by " + described(root),
                 "one that does not verify"};
}

Checked<void> check_dates(const Crl& crl, Time at) {
  if (at >= crl.this_update() && at <= crl.next_update()) return {};
  return Refusal{Errc::crl_expired, printable(crl.source(), 160), "a CRL that is current at " + time_text(at),
                 "one from " + time_text(crl.this_update()) + " to " + time_text(crl.next_update())};
}

}  // namespace

Checked<Crl> Crl::parse(Bytes der_or_pem, std::string source) {
  if (der_or_pem.size() > kMaxCrlBytes) {
    return Refusal{Errc::too_large, printable(source), "at most " + std::to_string(kMaxCrlBytes) + " octets",
                   std::to_string(der_or_pem.size())};
  }
  const openssl::ErrorScope errors;
  auto impl = std::make_shared<Impl>();
  if (text_of(der_or_pem).find("-----BEGIN ") == std::string_view::npos) {
    impl->der.assign(der_or_pem.begin(), der_or_pem.end());
  } else {
    impl->der = TRY(der_of_pem(der_or_pem, source));
  }
  const unsigned char* at = impl->der.data();
  impl->crl.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(impl->der.size())));
  if (!impl->crl) {
    return malformed(source, "an X.509 CRL in DER", std::to_string(impl->der.size()) + " octets that are none");
  }
  X509_CRL* const crl = impl->crl.get();
  if (!is_canonical(crl, impl->der)) return malformed(source, "one CRL in canonical DER", "more, or another encoding");
  if (const auto oid = critical_extension(crl)) return malformed(source, "no critical extension", *oid);
  const std::optional<Time> this_update = time_of(X509_CRL_get0_lastUpdate(crl));
  const std::optional<Time> next_update = time_of(X509_CRL_get0_nextUpdate(crl));
  if (!this_update || !next_update) return malformed(source, "thisUpdate and nextUpdate", "one that is no time");
  impl->this_update = *this_update;
  impl->next_update = *next_update;
  impl->issuer = common_name(X509_CRL_get_issuer(crl));
  impl->source = std::move(source);
  return Crl(std::move(impl));
}

const std::string& Crl::source() const {
  return impl_->source;
}
std::string Crl::issuer() const {
  return impl_->issuer;
}
Time Crl::this_update() const {
  return impl_->this_update;
}
Time Crl::next_update() const {
  return impl_->next_update;
}
std::size_t Crl::revoked() const {
  const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(impl_->crl.get());
  return static_cast<std::size_t>(std::max(sk_X509_REVOKED_num(entries), 0));
}

Checked<void> check_revocation(const Vek& vek, std::span<const Crl> crls, Time at, Steps* passed) {
  const Certificate& root = vek.root();
  std::optional<Refusal> first;
  const Crl* good = nullptr;
  for (const Crl& crl : crls) {
    const X509_NAME* issuer = X509_CRL_get_issuer(crl.impl().crl.get());
    if (X509_NAME_cmp(issuer, X509_get_subject_name(x509_of(root))) != 0) continue;
    Checked<void> checked = check_signature(crl, root);
    if (checked) checked = check_dates(crl, at);
    if (!checked) {
      if (!first) first = checked.error();
      continue;
    }
    for (const Certificate* certificate : {&vek.intermediate(), &root}) {
      if (!lists(crl, *certificate)) continue;
      return Refusal{Errc::certificate_revoked, described(*certificate), "a serial number that no CRL lists",
                     "it in " + printable(crl.source(), 160) + ", of " + time_text(crl.this_update())};
    }
    if (good == nullptr) good = &crl;
  }
  if (good == nullptr && first) return *first;
  if (good == nullptr) {
    return Refusal{Errc::crl_missing, root.common_name(), "a CRL that it issued",
                   std::to_string(crls.size()) + " CRLs, none of it"};
  }
  if (passed != nullptr) {
    passed->push_back({"revocation", good->issuer() + "'s CRL of " + time_text(good->this_update()) +
                                         " lists neither " + vek.intermediate().common_name() + " nor itself"});
  }
  return {};
}

}  // namespace attestbed::verify
