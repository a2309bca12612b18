// SPDX-License-Identifier: Apache-2.0
#include "core/verify/x509_rules.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "core/verify/certificate_impl.h"
#include "core/verify/public_key.h"

namespace attestbed::verify {
namespace {

constexpr long kX509v3 = 2;
constexpr int kRsaBits = 4096;
constexpr BN_ULONG kRsaExponent = 65537;
constexpr int kKeyCertSignBit = 5, kCrlSignBit = 6;  // RFC 5280 4.2.1.3
constexpr std::size_t kP384PointBytes = 97;

using BasicConstraints = openssl::Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using KeyUsage = openssl::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

Refusal refuse(Errc code, const Certificate& certificate, std::string field, std::string expected, std::string found) {
  return {
      code,
      std::string(kind_name(certificate.kind())) + " " + printable(certificate.source(), 160) + " " + std::move(field),
      std::move(expected), std::move(found)};
}

std::optional<std::string_view> only_value(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0) return std::nullopt;
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  const int type = ASN1_STRING_type(value);
  // In other string types the same octets would mean another text.
  if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
}

// AlgorithmIdentifier of RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48, hash parameters NULL (RFC 4055): AMD wrote
// the default trailerField out until about 2024 and leaves it away since. Any other spelling is not AMD's.
constexpr std::uint8_t kPssExplicitTrailer[] = {
    0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, 0xa0, 0x0f, 0x30,
    0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a,
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01};
constexpr std::uint8_t kPssDefaultTrailer[] = {
    0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f,
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c,
    0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09,
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};

bool has_unused_bits(const ASN1_BIT_STRING* bits) {
  return (bits->flags & 0x07) != 0;
}

std::string algorithm_name(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  char name[80];
  OBJ_obj2txt(name, sizeof name, object, 0);
  return printable(name);
}

Checked<void> check_basic_constraints(const Certificate& ca, long below) {
  int critical = 0;
  const BasicConstraints constraints(
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(x509_of(ca), NID_basic_constraints, &critical, nullptr)));
  if (!constraints) {
    return refuse(Errc::chain_constraint, ca, "basicConstraints", "critical CA:TRUE, once",
                  "none, several or unreadable");
  }
  if (critical != 1 || constraints->ca == 0) {
    return refuse(Errc::chain_constraint, ca, "basicConstraints", "critical CA:TRUE",
                  constraints->ca == 0 ? "CA:FALSE" : "not critical");
  }
  if (constraints->pathlen != nullptr && ASN1_INTEGER_get(constraints->pathlen) < below) {
    return refuse(Errc::chain_constraint, ca, "basicConstraints.pathlen", "at least " + std::to_string(below),
                  std::to_string(ASN1_INTEGER_get(constraints->pathlen)));
  }
  return {};
}

Checked<void> check_key_usage(const Certificate& ca) {
  int critical = 0;
  const KeyUsage usage(static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(x509_of(ca), NID_key_usage, &critical, nullptr)));
  if (!usage) {
    return refuse(Errc::chain_constraint, ca, "keyUsage", "critical certSign, once", "none, several or unreadable");
  }
  if (critical != 1 || ASN1_BIT_STRING_get_bit(usage.get(), kKeyCertSignBit) == 0) {
    return refuse(Errc::chain_constraint, ca, "keyUsage", "critical certSign",
                  critical != 1 ? "not critical" : "without certSign");
  }
  if (ca.kind() == Certificate::Kind::ark && ASN1_BIT_STRING_get_bit(usage.get(), kCrlSignBit) == 0) {
    return refuse(Errc::chain_constraint, ca, "keyUsage", "certSign and cRLSign", "without cRLSign");
  }
  return {};
}

/// crl_points is the one encoding of a CRL distribution point with `url` and nothing else (RFC 5280 4.2.1.13):
/// SEQUENCE { SEQUENCE { [0] { [0] { [6] url } } } }. Every length stays below 128.
std::string crl_points(std::string content) {
  for (const char tag : {'\x86', '\xa0', '\xa0', '\x30', '\x30'}) {
    content = std::string{tag, static_cast<char>(content.size())} + content;
  }
  return content;
}

Checked<void> check_crl_point(const Certificate& ca, snp::Product product) {
  const X509* x509 = x509_of(ca);
  const std::string url = crl_url(ca.kind(), product);
  const int at = X509_get_ext_by_NID(x509, NID_crl_distribution_points, -1);
  if (at < 0 || X509_get_ext_by_NID(x509, NID_crl_distribution_points, at) >= 0) {
    return refuse(Errc::chain_constraint, ca, "cRLDistributionPoints", url + ", once", "none, or several extensions");
  }
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(x509, at));
  const Bytes octets(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
  if (text_of(octets) == crl_points(url)) return {};
  return refuse(Errc::chain_constraint, ca, "cRLDistributionPoints", "only " + url, printable(text_of(octets)));
}

Checked<void> check_no_other_critical(const Certificate& ca) {
  const X509* x509 = x509_of(ca);
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) == 0 || nid == NID_basic_constraints || nid == NID_key_usage) continue;
    char oid[80];
    OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(extension), 1);
    return refuse(Errc::chain_constraint, ca, "extensions", "no other critical extension", oid);
  }
  return {};
}

Checked<void> check_version(const Certificate& certificate) {
  const long version = X509_get_version(x509_of(certificate));
  if (version == kX509v3) return {};
  return refuse(Errc::chain_constraint, certificate, "version", "X.509 v3", "v" + std::to_string(version + 1));
}

}  // namespace

bool is_amd_pss(const X509_ALGOR* algorithm) {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_ALGOR(algorithm, &encoded);
  const openssl::Octets owner(encoded);
  if (length <= 0) return false;
  const Bytes octets(encoded, static_cast<std::size_t>(length));
  return std::ranges::equal(octets, kPssExplicitTrailer) || std::ranges::equal(octets, kPssDefaultTrailer);
}

std::optional<snp::Product> chain_product(const Certificate& ca) {
  const std::string& name = ca.impl().common_name;
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    const std::string line = snp::product_name(product);
    if (name == "ARK-" + line || name == "SEV-" + line || name == "SEV-VLEK-" + line) return product;
  }
  return std::nullopt;
}

Checked<void> check_name(const Certificate& certificate, Whose whose, const std::string& common_name, Errc code) {
  const bool subject = whose == Whose::subject;
  const X509_NAME* name =
      subject ? X509_get_subject_name(x509_of(certificate)) : X509_get_issuer_name(x509_of(certificate));
  const struct {
    int nid;
    const char* label;
    std::string value;
  } attributes[] = {{NID_organizationalUnitName, "OU", "Engineering"},
                    {NID_countryName, "C", "US"},
                    {NID_localityName, "L", "Santa Clara"},
                    {NID_stateOrProvinceName, "ST", "CA"},
                    {NID_organizationName, "O", "Advanced Micro Devices"},
                    {NID_commonName, "CN", common_name}};
  for (const auto& [nid, label, value] : attributes) {
    const std::optional<std::string_view> found = only_value(name, nid);
    if (found == value) continue;
    return refuse(code, certificate, std::string(subject ? "subject." : "issuer.") + label, value + ", once",
                  found ? printable(*found) : "none, several, or another string type");
  }
  const int count = X509_NAME_entry_count(name);
  if (count != static_cast<int>(std::size(attributes))) {
    return refuse(code, certificate, subject ? "subject" : "issuer", "OU, C, L, ST, O, CN and nothing else",
                  std::to_string(count) + " attributes");
  }
  return {};
}

bool names_match(const Certificate& certificate, const Certificate& issuer) {
  return X509_NAME_cmp(X509_get_issuer_name(x509_of(certificate)), X509_get_subject_name(x509_of(issuer))) == 0;
}

bool is_rsa_4096(const Certificate& ca) {
  const openssl::ErrorScope errors;
  const EVP_PKEY* key = key_of(ca);
  if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1 || EVP_PKEY_get_bits(key) != kRsaBits) return false;
  BIGNUM* exponent = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
  const openssl::Number owner(exponent);
  return exponent != nullptr && BN_is_word(exponent, kRsaExponent) == 1;
}

Checked<void> check_signature_form(const Certificate& certificate) {
  const X509* x509 = x509_of(certificate);
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, x509);
  if (is_amd_pss(outer) && is_amd_pss(X509_get0_tbs_sigalg(x509))) return {};
  return refuse(Errc::chain_signature, certificate, "signatureAlgorithm",
                "RSASSA-PSS with SHA-384, MGF1-SHA-384, salt 48", algorithm_name(outer) + " in another form");
}

bool is_signed_by(const Certificate& certificate, const Certificate& issuer) {
  const openssl::ErrorScope errors;
  if (!check_signature_form(certificate) || !is_rsa_4096(issuer)) return false;
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(&signature, &outer, x509_of(certificate));
  // What X509_verify demands beside the signature: the same algorithm inside and outside, and whole octets.
  if (X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x509_of(certificate))) != 0 || has_unused_bits(signature))
    return false;
  const Bytes octets(ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature)));
  return verifies_pss(key_of(issuer), tbs_octets(certificate.der()), octets);
}

std::string crl_url(Certificate::Kind ca, snp::Product product) {
  return std::string("https://kdsintf.amd.com/") + (ca == Certificate::Kind::asvk ? "vlek" : "vcek") + "/v1/" +
         snp::product_name(product) + "/crl";
}

Checked<void> check_ca(const Certificate& ca, long below, snp::Product product) {
  const openssl::ErrorScope errors;
  TRY(check_version(ca));
  if (!is_rsa_4096(ca)) {
    return refuse(Errc::chain_constraint, ca, "subjectPublicKey", "RSA of 4096 bits, exponent 65537", "another key");
  }
  TRY(check_basic_constraints(ca, below));
  TRY(check_key_usage(ca));
  TRY(check_no_other_critical(ca));
  return check_crl_point(ca, product);
}

Checked<void> check_vek_key(const Certificate& vek) {
  const openssl::ErrorScope errors;
  TRY(check_version(vek));
  const unsigned char* point = nullptr;
  int length = 0;
  X509_ALGOR* algorithm = nullptr;
  X509_PUBKEY_get0_param(nullptr, &point, &length, &algorithm, X509_get_X509_PUBKEY(x509_of(vek)));
  const ASN1_OBJECT* type = nullptr;
  const void* curve = nullptr;
  int curve_type = 0;
  X509_ALGOR_get0(&type, &curve_type, &curve, algorithm);
  // Explicit curve parameters would let the certificate choose its own generator: only the named curve will do.
  const bool named = OBJ_obj2nid(type) == NID_X9_62_id_ecPublicKey && curve_type == V_ASN1_OBJECT &&
                     OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(curve)) == NID_secp384r1;
  if (!named || static_cast<std::size_t>(length) != kP384PointBytes || key_of(vek) == nullptr) {
    return refuse(Errc::chain_constraint, vek, "subjectPublicKey", "EC on the named curve P-384, uncompressed point",
                  "another key");
  }
  return {};
}

Checked<void> check_dates(const Certificate& certificate, Time at) {
  if (at < certificate.not_before()) {
    return refuse(Errc::chain_not_yet_valid, certificate, "notBefore", "not after " + time_text(at),
                  time_text(certificate.not_before()));
  }
  if (at > certificate.not_after()) {
    return refuse(Errc::chain_expired, certificate, "notAfter", "not before " + time_text(at),
                  time_text(certificate.not_after()));
  }
  return {};
}

}  // namespace attestbed::verify
