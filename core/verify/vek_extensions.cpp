// SPDX-License-Identifier: Apache-2.0
#include "core/verify/vek_extensions.h"

#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace attestbed::verify {
namespace {

enum Field { kStruct, kName, kBl, kTee, kSnp, kSpl4, kSpl5, kSpl6, kSpl7, kUcode, kFmc, kHwid, kCsp, kFieldCount };

struct FieldRow {
  const char* name;
  std::uint8_t suffix[2];  // below the arc; the second is 0 for a suffix of one number
};
constexpr FieldRow kFields[kFieldCount] = {
    {"structVersion", {1, 0}}, {"productName", {2, 0}}, {"blSPL", {3, 1}},  {"teeSPL", {3, 2}}, {"snpSPL", {3, 3}},
    {"spl4", {3, 4}},          {"spl5", {3, 5}},        {"spl6", {3, 6}},   {"spl7", {3, 7}},   {"ucodeSPL", {3, 8}},
    {"fmcSPL", {3, 9}},        {"hwID", {4, 0}},        {"CSP_ID", {5, 0}},
};
constexpr std::uint8_t kAmdArc[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};  // 1.3.6.1.4.1.3704.1

constexpr std::uint8_t kDerInteger = 0x02, kDerOctetString = 0x04, kDerIa5String = 0x16;

Refusal refuse(std::string field, std::string expected, std::string found) {
  return {Errc::vek_extension, "VEK." + std::move(field), std::move(expected), std::move(found)};
}

std::string hex_or_absent(const std::optional<Bytes>& value) {
  if (!value) return "no such extension";
  return printable(hex_text(*value), 64);
}

/// field_of finds the row of an OID; kFieldCount if it is none of AMD's.
std::size_t field_of(const ASN1_OBJECT* object) {
  const Bytes oid(OBJ_get0_data(object), OBJ_length(object));
  if (oid.size() <= sizeof kAmdArc || !std::ranges::equal(oid.first(sizeof kAmdArc), kAmdArc)) return kFieldCount;
  const Bytes suffix = oid.subspan(sizeof kAmdArc);
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::size_t length = kFields[i].suffix[1] == 0 ? 1 : 2;
    if (std::ranges::equal(suffix, Bytes(kFields[i].suffix, length))) return i;
  }
  return kFieldCount;
}

/// oid_text is for refusals alone: OpenSSL takes longer to write an OID out than to compare it.
std::string oid_text(const ASN1_OBJECT* object) {
  char text[80];
  OBJ_obj2txt(text, sizeof text, object, 1);
  return text;
}

using Values = std::array<std::optional<Bytes>, kFieldCount>;

/// collect finds each extension's octets: none twice, none critical, none that is not AMD's but the key identifier that
/// some issuers add.
Checked<Values> collect(const X509* x509) {
  Values values;
  bool key_identifier = false;
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
    if (X509_EXTENSION_get_critical(extension) != 0) {
      return refuse(oid_text(object), "a non-critical extension", "critical");
    }
    if (OBJ_obj2nid(object) == NID_authority_key_identifier && !std::exchange(key_identifier, true)) continue;
    const std::size_t field = field_of(object);
    if (field == kFieldCount) {
      return refuse(oid_text(object), "AMD's extensions once each and nothing else", "this extension");
    }
    if (values[field]) return refuse(kFields[field].name, "once", "a second time");
    const ASN1_OCTET_STRING* octets = X509_EXTENSION_get_data(extension);
    values[field] = Bytes(ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets)));
  }
  return values;
}

Checked<std::uint8_t> integer(const Values& values, Field field) {
  const std::optional<Bytes>& value = values[field];
  // Minimal DER: one octet below 0x80, or a zero and one octet from 0x80. Anything else is negative, padded or too big.
  if (value && value->size() == 3 && (*value)[0] == kDerInteger && (*value)[1] == 1 && (*value)[2] < 0x80) {
    return (*value)[2];
  }
  if (value && value->size() == 4 && (*value)[0] == kDerInteger && (*value)[1] == 2 && (*value)[2] == 0 &&
      (*value)[3] >= 0x80) {
    return (*value)[3];
  }
  return refuse(kFields[field].name, "a DER INTEGER of 0..255", hex_or_absent(value));
}

/// level is a security patch level of anything but the microcode: AMD's never exceed 127.
Checked<std::uint8_t> level(const Values& values, Field field) {
  constexpr std::uint8_t kMost = 127;
  const std::uint8_t found = TRY(integer(values, field));
  if (found <= kMost) return found;
  return refuse(kFields[field].name, "at most 127 (only the microcode's goes beyond)", std::to_string(found));
}

Checked<std::string> ia5_string(const Values& values, Field field) {
  const std::optional<Bytes>& value = values[field];
  const Refusal bad =
      refuse(kFields[field].name, "a DER IA5String of 1..127 printable characters", hex_or_absent(value));
  if (!value || value->size() < 3 || (*value)[0] != kDerIa5String || (*value)[1] >= 0x80) return bad;
  const Bytes text = value->subspan(2);
  if (text.size() != (*value)[1]) return bad;
  if (!std::ranges::all_of(text, [](std::uint8_t c) { return c >= ' ' && c <= '~'; })) return bad;
  return std::string(text_of(text));
}

/// product_from_name reads "Genoa" or "Milan-B0": the product line, and for some the stepping.
Checked<snp::Product> product_from_name(const std::string& name) {
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    const std::string line = snp::product_name(product);
    if (name == line) return product;
    const bool stepping = name.size() == line.size() + 3 && name.starts_with(line + "-") &&
                          name[line.size() + 1] >= 'A' && name[line.size() + 1] <= 'Z' && name.back() >= '0' &&
                          name.back() <= '9';
    if (stepping) return product;
  }
  return refuse("productName", "Milan, Genoa or Turin, or one with a stepping as in Milan-B0", printable(name));
}

/// hardware_id reads the raw octets; the OCTET STRING around them is what some say KDS may write one day.
Checked<std::vector<std::uint8_t>> hardware_id(const Values& values, std::size_t size) {
  const std::optional<Bytes>& value = values[kHwid];
  if (value && value->size() == size) return std::vector<std::uint8_t>(value->begin(), value->end());
  if (value && value->size() == size + 2 && (*value)[0] == kDerOctetString && (*value)[1] == size) {
    return std::vector<std::uint8_t>(value->begin() + 2, value->end());
  }
  return refuse("hwID", std::to_string(size) + " octets", hex_or_absent(value));
}

Checked<void> absent(const Values& values, Field field, const std::string& in) {
  if (!values[field]) return {};
  return refuse(kFields[field].name, "no such extension in a VEK of " + in, hex_or_absent(values[field]));
}

Checked<void> exactly(const Values& values, Field field, std::uint8_t wanted) {
  const std::uint8_t found = TRY(integer(values, field));
  if (found == wanted) return {};
  return refuse(kFields[field].name, std::to_string(wanted), std::to_string(found));
}

Checked<snp::Tcb> security_patch_levels(const Values& values, snp::Product product) {
  snp::Tcb tcb;
  tcb.boot_loader = TRY(level(values, kBl));
  tcb.tee = TRY(level(values, kTee));
  tcb.snp = TRY(level(values, kSnp));
  tcb.microcode = TRY(integer(values, kUcode));
  if (product == snp::Product::turin) {
    tcb.fmc = TRY(level(values, kFmc));
    TRY(absent(values, kSpl4, "Turin"));
  } else {
    TRY(exactly(values, kSpl4, 0));
    TRY(absent(values, kFmc, snp::product_name(product)));
  }
  for (const Field unused : {kSpl5, kSpl6, kSpl7}) TRY(exactly(values, unused, 0));
  return tcb;
}

}  // namespace

Checked<VekExtensions> parse_vek_extensions(const X509* x509, Certificate::Kind kind) {
  const Values values = TRY(collect(x509));
  VekExtensions vek;
  vek.product_name = TRY(ia5_string(values, kName));
  vek.product = TRY(product_from_name(vek.product_name));
  const bool turin = vek.product == snp::Product::turin;
  vek.struct_version = turin ? 1 : 0;
  TRY(exactly(values, kStruct, vek.struct_version));
  vek.tcb = TRY(security_patch_levels(values, vek.product));
  if (kind == Certificate::Kind::vcek) {
    vek.hardware_id = TRY(hardware_id(values, turin ? 8 : 64));
    TRY(absent(values, kCsp, "kind VCEK"));
  } else {
    vek.csp_id = TRY(ia5_string(values, kCsp));
    TRY(absent(values, kHwid, "kind VLEK"));
  }
  return vek;
}

}  // namespace attestbed::verify
