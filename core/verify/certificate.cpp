// SPDX-License-Identifier: Apache-2.0
#include "core/verify/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include "core/verify/certificate_impl.h"
#include "core/verify/public_key.h"
#include "core/verify/vek_extensions.h"

namespace attestbed::verify {

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(parts.tm_year + 1900),
                                         std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                         std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  if (!date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

namespace {

using Kind = Certificate::Kind;

Refusal malformed(const std::string& source, std::string expected, std::string found) {
  return {Errc::certificate_malformed, printable(source), std::move(expected), std::move(found)};
}

Refusal too_large(const std::string& source, const char* what, std::size_t bound, std::size_t found) {
  return {Errc::too_large, printable(source), "at most " + std::to_string(bound) + " " + what, std::to_string(found)};
}

Kind kind_of(std::string_view common_name) {
  if (common_name == "SEV-VCEK") return Kind::vcek;
  if (common_name == "SEV-VLEK") return Kind::vlek;
  if (common_name.starts_with("ARK-")) return Kind::ark;
  if (common_name.starts_with("SEV-VLEK-")) return Kind::asvk;
  if (common_name.starts_with("SEV-")) return Kind::ask;
  return Kind::other;
}

/// first_common_name is empty if there is none; that there is exactly one is checked with the rest of the name.
std::string first_common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::string name_text(const X509_NAME* name) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  // Without ASN1_STRFLGS_UTF8_CONVERT's counterpart the octets stay as they are; printable() makes them harmless.
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) < 0) return "(unreadable)";
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return printable({text, static_cast<std::size_t>(length)}, 240);
}

/// is_canonical holds if `der` is exactly what the parsed certificate encodes to: OpenSSL reads BER as well, and two
/// encodings of one certificate would be two identities.
bool is_canonical(const X509* x509, Bytes der) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509(x509, &encoded);
  const openssl::Octets owner(encoded);
  return length > 0 && std::ranges::equal(Bytes(encoded, static_cast<std::size_t>(length)), der);
}

Checked<std::shared_ptr<const Certificate::Impl>> parse_der(Bytes der, const std::string& source) {
  if (der.size() > kMaxCertificateBytes) return too_large(source, "octets of DER", kMaxCertificateBytes, der.size());
  const openssl::ErrorScope errors;
  auto impl = std::make_shared<Certificate::Impl>();
  OSSL_LIB_CTX* const context = certificate_context();
  X509* fresh = context != nullptr ? X509_new_ex(context, nullptr) : nullptr;
  const unsigned char* at = der.data();
  // On failure d2i_X509 has freed what it was given.
  if (fresh == nullptr || d2i_X509(&fresh, &at, static_cast<long>(der.size())) == nullptr) {
    return malformed(source, "an X.509 certificate in DER", std::to_string(der.size()) + " octets that are none");
  }
  impl->x509.reset(fresh);
  if (at != der.data() + der.size()) {
    return malformed(source, "one certificate",
                     std::to_string(der.data() + der.size() - at) + " octets behind the first");
  }
  if (!is_canonical(fresh, der)) return malformed(source, "canonical DER", "another encoding of its content");
  const std::optional<Time> not_before = time_of(X509_get0_notBefore(fresh));
  const std::optional<Time> not_after = time_of(X509_get0_notAfter(fresh));
  if (!not_before || !not_after) return malformed(source, "two dates", "a validity that is not a time");
  impl->key = public_key(fresh);
  impl->not_before = *not_before;
  impl->not_after = *not_after;
  impl->der.assign(der.begin(), der.end());
  impl->source = source;
  impl->common_name = first_common_name(X509_get_subject_name(fresh));
  impl->issuer_common_name = first_common_name(X509_get_issuer_name(fresh));
  impl->kind = kind_of(impl->common_name);
  if (impl->kind == Kind::vcek || impl->kind == Kind::vlek) {
    impl->extensions = parse_vek_extensions(fresh, impl->kind);
  } else {
    impl->extensions = Refusal{Errc::vek_name, "subject.CN", "SEV-VCEK or SEV-VLEK", printable(impl->common_name)};
  }
  return std::shared_ptr<const Certificate::Impl>(std::move(impl));
}

struct PemBlock {
  openssl::Octets label, header, octets;
  std::size_t size = 0;
};

/// next_block reads the next PEM block; no block and no error means that there are no more.
Checked<std::optional<PemBlock>> next_block(BIO* pem, const std::string& source) {
  char *label = nullptr, *header = nullptr;
  unsigned char* octets = nullptr;
  long size = 0;
  const int got = PEM_read_bio(pem, &label, &header, &octets, &size);
  PemBlock block{openssl::Octets(reinterpret_cast<unsigned char*>(label)),
                 openssl::Octets(reinterpret_cast<unsigned char*>(header)), openssl::Octets(octets),
                 static_cast<std::size_t>(size)};
  if (got != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) return std::optional<PemBlock>();
    return malformed(source, "PEM with BEGIN, base64 and END", "a block that is cut off or damaged");
  }
  if (std::string_view(label) != "CERTIFICATE" || *header != '\0') {
    return malformed(source, "only CERTIFICATE blocks", printable(label, 40));
  }
  return std::optional<PemBlock>(std::move(block));
}

}  // namespace

Checked<std::vector<Certificate>> Certificate::parse(Bytes der_or_pem, std::string source) {
  std::vector<Certificate> certificates;
  if (text_of(der_or_pem).find("-----BEGIN ") == std::string_view::npos) {
    certificates.push_back(Certificate(TRY(parse_der(der_or_pem, source))));
    return certificates;
  }
  if (der_or_pem.size() > kMaxPemBytes) return too_large(source, "octets of PEM", kMaxPemBytes, der_or_pem.size());
  const openssl::ErrorScope errors;
  const openssl::Bio pem(BIO_new_mem_buf(der_or_pem.data(), static_cast<int>(der_or_pem.size())));
  if (!pem) return malformed(source, "memory", "none");
  while (const std::optional<PemBlock> block = TRY(next_block(pem.get(), source))) {
    if (certificates.size() == kMaxCertificatesPerFile) {
      return too_large(source, "certificates", kMaxCertificatesPerFile, certificates.size() + 1);
    }
    certificates.push_back(Certificate(TRY(parse_der(Bytes(block->octets.get(), block->size), source))));
  }
  if (certificates.empty()) return malformed(source, "at least one CERTIFICATE block", "none");
  return certificates;
}

Kind Certificate::kind() const {
  return impl_->kind;
}
const std::string& Certificate::source() const {
  return impl_->source;
}
std::string Certificate::common_name() const {
  return printable(impl_->common_name);
}
std::string Certificate::subject() const {
  return name_text(X509_get_subject_name(impl_->x509.get()));
}
std::string Certificate::issuer() const {
  return name_text(X509_get_issuer_name(impl_->x509.get()));
}
Time Certificate::not_before() const {
  return impl_->not_before;
}
Time Certificate::not_after() const {
  return impl_->not_after;
}
const std::vector<std::uint8_t>& Certificate::der() const {
  return impl_->der;
}
const Checked<VekExtensions>& Certificate::vek_extensions() const {
  return impl_->extensions;
}
bool operator==(const Certificate& a, const Certificate& b) {
  return a.impl_ == b.impl_ || a.impl_->der == b.impl_->der;
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::ark:
      return "ARK";
    case Kind::ask:
      return "ASK";
    case Kind::asvk:
      return "ASVK";
    case Kind::vcek:
      return "VCEK";
    case Kind::vlek:
      return "VLEK";
    case Kind::other:
      break;
  }
  return "other";
}

std::string described(const Certificate& certificate) {
  return certificate.common_name() + " (" + printable(certificate.source(), 160) + ")";
}

}  // namespace attestbed::verify
