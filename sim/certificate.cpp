// SPDX-License-Identifier: Apache-2.0
#include "sim/certificate.h"

#include <cstdio>
#include <string>

namespace attestbed::sim {
namespace {

// Content octets of object identifiers.
constexpr ByteArray<9> kOidRsassaPss{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
constexpr ByteArray<9> kOidMgf1{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08};
constexpr ByteArray<9> kOidSha384{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
constexpr ByteArray<8> kOidAmdSnp{0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};  // 1.3.6.1.4.1.3704.1
// Last arcs below 2.5.4 (names) and 2.5.29 (extensions).
constexpr std::uint8_t kCommonName = 3, kCountry = 6, kLocality = 7, kState = 8, kOrganization = 10, kUnit = 11;
constexpr std::uint8_t kSubjectKeyId = 14, kKeyUsage = 15, kBasicConstraints = 19, kCrlPoints = 31,
                       kAuthorityKeyId = 35, kCrlNumber = 20;

constexpr std::uint8_t kCertSign = 0x04, kCrlSign = 0x02;

constexpr std::uint64_t kSaltOctets = 48;

Der hash_algorithm() {
  return der_sequence({der_oid(kOidSha384), der_null()});
}

Der name_part(std::uint8_t arc, std::uint8_t tag, std::string_view text) {
  const ByteArray<3> oid{0x55, 0x04, arc};
  return der_set({der_sequence({der_oid(oid), der_text(tag, text)})});
}

Der name(std::string_view common_name) {
  return der_sequence({name_part(kUnit, kTagUtf8, "Engineering"), name_part(kCountry, kTagPrintable, "US"),
                       name_part(kLocality, kTagUtf8, "Santa Clara"), name_part(kState, kTagUtf8, "CA"),
                       name_part(kOrganization, kTagUtf8, "Advanced Micro Devices"),
                       name_part(kCommonName, kTagUtf8, common_name)});
}

std::string ark_name(const ProductProfile& profile) {
  return std::string("ARK-") + snp::product_name(profile.product);
}
std::string intermediate_name(const ProductProfile& profile, VekLine line) {
  return std::string(line == VekLine::vcek ? "SEV-" : "SEV-VLEK-") + snp::product_name(profile.product);
}

Der time(std::chrono::sys_seconds at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(at - day);
  const int year = static_cast<int>(date.year());
  // RFC 5280 section 4.1.2.5: two-digit years up to 2049, four digits after.
  const bool short_year = year < 2050;
  char text[32];
  std::snprintf(text, sizeof text, short_year ? "%02d%02u%02u%02d%02d%02dZ" : "%04d%02u%02u%02d%02d%02dZ",
                short_year ? year % 100 : year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return der_text(short_year ? 0x17 : 0x18, text);
}

Der standard_extension(std::uint8_t arc, bool critical, Bytes value) {
  const ByteArray<3> oid{0x55, 0x1d, arc};
  const Der flag = critical ? der_true() : Der{};
  return der_sequence({der_oid(oid), flag, der_octet_string(value)});
}

Der amd_extension(std::initializer_list<std::uint8_t> arcs, Bytes value) {
  Der oid(kOidAmdSnp.begin(), kOidAmdSnp.end());
  oid.insert(oid.end(), arcs);
  return der_sequence({der_oid(oid), der_octet_string(value)});
}

Der subject_key_id(const KeyId& id) {
  return standard_extension(kSubjectKeyId, false, der_octet_string(id));
}
Der authority_key_id(const KeyId& id) {
  return standard_extension(kAuthorityKeyId, false, der_sequence({der_value(0x80, {id})}));
}
Der key_usage(std::uint8_t bits) {
  // AMD counts one unused bit in both of its values, also where DER would count two.
  return standard_extension(kKeyUsage, true, Der{0x03, 0x02, 0x01, bits});
}
Der crl_point(const ProductProfile& profile, VekLine line) {
  const std::string url = std::string("https://kdsintf.amd.com/") + (line == VekLine::vcek ? "vcek" : "vlek") + "/v1/" +
                          snp::product_name(profile.product) + "/crl";
  const Der full_name = der_value(0xa0, {der_value(0x86, {bytes_of(url)})});
  return standard_extension(kCrlPoints, false, der_sequence({der_sequence({der_explicit(0, full_name)})}));
}

Der tbs(std::uint64_t serial, Trailer trailer, std::string_view issuer, Validity validity, std::string_view subject,
        Bytes spki, Bytes extensions) {
  return der_sequence({der_explicit(0, der_integer(2)), der_integer(serial), signature_algorithm(trailer), name(issuer),
                       der_sequence({time(validity.not_before), time(validity.not_after)}), name(subject), spki,
                       der_explicit(3, extensions)});
}

/// vek_extensions are those of a VCEK or VLEK; `last` says for whom it is.
Der vek_extensions(const ProductProfile& profile, std::string_view product_name, const snp::Tcb& tcb, Bytes last) {
  Der spls;
  for (const SplField& field : profile.spl_fields) {
    const std::uint8_t level = field.component != nullptr ? tcb.*field.component : std::uint8_t{0};
    const Der extension = amd_extension({3, field.arc}, der_integer(level));
    spls.insert(spls.end(), extension.begin(), extension.end());
  }
  return der_sequence({amd_extension({1}, der_integer(profile.struct_version)),
                       amd_extension({2}, der_text(kTagIa5, product_name)), spls, last});
}

}  // namespace

Validity years_from(std::chrono::sys_seconds not_before, int years) {
  const auto day = std::chrono::floor<std::chrono::days>(not_before);
  std::chrono::year_month_day date(day);
  date += std::chrono::years(years);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;  // 29 February
  return {not_before, std::chrono::sys_days(date) + (not_before - day)};
}

Der signature_algorithm(Trailer trailer) {
  const Der trailer_field = trailer == Trailer::spelled_out ? der_explicit(3, der_integer(1)) : Der{};
  const Der mask = der_sequence({der_oid(kOidMgf1), hash_algorithm()});
  return der_sequence(
      {der_oid(kOidRsassaPss), der_sequence({der_explicit(0, hash_algorithm()), der_explicit(1, mask),
                                             der_explicit(2, der_integer(kSaltOctets)), trailer_field})});
}

Der tbs_ark(const ProductProfile& profile, Validity validity, Bytes spki, const KeyId& own) {
  const Der authority = der_sequence({der_true()});
  const Der extensions =
      der_sequence({key_usage(kCertSign | kCrlSign), subject_key_id(own),
                    standard_extension(kBasicConstraints, true, authority), crl_point(profile, VekLine::vcek)});
  return tbs(profile.ark_serial, Trailer::spelled_out, ark_name(profile), validity, ark_name(profile), spki,
             extensions);
}

std::uint32_t intermediate_serial(const ProductProfile& profile, VekLine line) {
  return line == VekLine::vcek ? profile.ask_serial : profile.asvk_serial;
}

Der tbs_intermediate(const ProductProfile& profile, VekLine line, Validity validity, Bytes spki, const KeyId& own,
                     const KeyId& ark) {
  const Der authority = der_sequence({der_true(), der_integer(0)});
  const Der extensions =
      der_sequence({subject_key_id(own), authority_key_id(ark), standard_extension(kBasicConstraints, true, authority),
                    key_usage(kCertSign), crl_point(profile, line)});
  return tbs(intermediate_serial(profile, line), Trailer::spelled_out, ark_name(profile), validity,
             intermediate_name(profile, line), spki, extensions);
}

Der tbs_vcek(const ProductProfile& profile, Validity validity, Bytes spki, const snp::Tcb& tcb, Bytes hardware_id) {
  // The hardware id lies in its extension as it is, without a tag of its own.
  const Der extensions = vek_extensions(profile, profile.vcek_product_name, tcb, amd_extension({4}, hardware_id));
  return tbs(0, Trailer::left_out, intermediate_name(profile, VekLine::vcek), validity, "SEV-VCEK", spki, extensions);
}

Der tbs_vlek(const ProductProfile& profile, Validity validity, Bytes spki, const snp::Tcb& tcb,
             std::string_view csp_id) {
  const Der extensions =
      vek_extensions(profile, snp::product_name(profile.product), tcb, amd_extension({5}, der_text(kTagIa5, csp_id)));
  return tbs(0, Trailer::left_out, intermediate_name(profile, VekLine::vlek), validity, "SEV-VLEK", spki, extensions);
}

Der tbs_crl(const ProductProfile& profile, Validity validity, const KeyId& ark,
            std::span<const std::uint32_t> revoked) {
  Der entries;
  for (const std::uint32_t serial : revoked) {
    const Der entry = der_sequence({der_integer(serial), time(validity.not_before)});
    entries.insert(entries.end(), entry.begin(), entry.end());
  }
  // An empty list is left out altogether (RFC 5280 section 5.1.2.6).
  const Der revoked_certificates = revoked.empty() ? Der{} : der_sequence({entries});
  const Der extensions = der_sequence({authority_key_id(ark), standard_extension(kCrlNumber, false, der_integer(1))});
  return der_sequence({der_integer(1), signature_algorithm(Trailer::spelled_out), name(ark_name(profile)),
                       time(validity.not_before), time(validity.not_after), revoked_certificates,
                       der_explicit(0, extensions)});
}

Der certificate(Bytes tbs, Trailer trailer, Bytes signature) {
  return der_sequence({tbs, signature_algorithm(trailer), der_bit_string(signature)});
}

}  // namespace attestbed::sim
