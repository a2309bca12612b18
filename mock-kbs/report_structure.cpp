// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/report_structure.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "mock-kbs/evidence.h"

namespace attestbed::kbs {
namespace {

using nlohmann::json;

// Where each member lies in ATTESTATION_REPORT (56860, structure ATTESTATION_REPORT).
struct Place {
  const char* name;
  std::size_t offset, octets;
};
constexpr Place kNumbers[] = {{"guest_svn", 0x004, 4}, {"policy", 0x008, 8},    {"vmpl", 0x030, 4},
                              {"sig_algo", 0x034, 4},  {"plat_info", 0x040, 8}, {"key_info", 0x048, 4}};
constexpr Place kArrays[] = {{"family_id", 0x010, 16},         {"image_id", 0x020, 16},
                             {"report_data", 0x050, 64},       {"measurement", 0x090, 48},
                             {"host_data", 0x0c0, 32},         {"id_key_digest", 0x0e0, 48},
                             {"author_key_digest", 0x110, 48}, {"report_id", 0x140, 32},
                             {"report_id_ma", 0x160, 32},      {"chip_id", 0x1a0, 64}};
constexpr Place kSignature[] = {{"r", 0x2a0, 72}, {"s", 0x2e8, 72}};
constexpr Place kTcbs[] = {
    {"current_tcb", 0x038, 8}, {"reported_tcb", 0x180, 8}, {"committed_tcb", 0x1e0, 8}, {"launch_tcb", 0x1f0, 8}};
// Of a FirmwareVersion the first octet is the build.
constexpr Place kVersions[] = {{"current", 0x1e8, 3}, {"committed", 0x1ec, 3}};
constexpr Place kCpuid[] = {{"cpuid_fam_id", 0x188, 1}, {"cpuid_mod_id", 0x189, 1}, {"cpuid_step", 0x18a, 1}};
constexpr Place kMitigations[] = {{"launch_mit_vector", 0x1f8, 8}, {"current_mit_vector", 0x200, 8}};

Refusal no_number(std::string path, std::uint64_t most, const json& found) {
  return {Errc::bad_value, std::move(path), "an integer from 0 to " + std::to_string(most),
          found.is_number() ? verify::printable(found.dump(), 32) : found.type_name()};
}

Checked<std::uint64_t> number_at(const json& value, const std::string& path, std::size_t octets) {
  const std::uint64_t most =
      octets == 8 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << (8 * octets)) - 1;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) return no_number(path, most, value);
  return value.get<std::uint64_t>();
}

Checked<std::uint64_t> number_of(const Members& from, const char* name, std::size_t octets) {
  const json* value = TRY(from.required(name));
  return number_at(*value, from.path_of(name), octets);
}

Checked<std::uint8_t> octet_of(const Members& from, const char* name) {
  const std::uint64_t octet = TRY(number_of(from, name, 1));
  return static_cast<std::uint8_t>(octet);
}

Checked<void> octets_at(const json& list, const std::string& path, MutBytes into) {
  if (!list.is_array()) return Refusal{Errc::json_type, path, "a list of numbers", list.type_name()};
  if (list.size() != into.size()) {
    return Refusal{Errc::bad_length, path, std::to_string(into.size()) + " numbers", std::to_string(list.size())};
  }
  for (std::size_t i = 0; i < into.size(); ++i) {
    const std::uint64_t octet = TRY(number_at(list[i], path + "[" + std::to_string(i) + "]", 1));
    into[i] = static_cast<std::uint8_t>(octet);
  }
  return {};
}

// The report under construction, and the structure that it is made from.
struct Conversion {
  const Members& from;
  ByteArray<snp::kReportBytes> report{};

  MutBytes at(const Place& place) { return MutBytes(report).subspan(place.offset, place.octets); }

  Checked<void> put_number(const Members& members, const Place& place) {
    const std::uint64_t value = TRY(number_of(members, place.name, place.octets));
    for (std::size_t i = 0; i < place.octets; ++i) at(place)[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return {};
  }

  Checked<void> put_array(const Members& members, const Place& place) {
    const json* list = TRY(members.required(place.name));
    return octets_at(*list, members.path_of(place.name), at(place));
  }

  // A member that only some versions have: a number there, null or absent in the others.
  Checked<void> put_if(bool there, const Place& place) {
    if (there) return put_number(from, place);
    const json* value = from.find(place.name);
    if (value == nullptr || value->is_null()) return {};
    return Refusal{Errc::bad_value, from.path_of(place.name), "null in this version of the report", value->type_name()};
  }

  Checked<void> put_tcb(snp::Product product, const Place& place) {
    const Members parts = TRY(from.object(place.name));
    snp::Tcb tcb;
    tcb.boot_loader = TRY(octet_of(parts, "bootloader"));
    tcb.tee = TRY(octet_of(parts, "tee"));
    tcb.snp = TRY(octet_of(parts, "snp"));
    tcb.microcode = TRY(octet_of(parts, "microcode"));
    const json* fmc = parts.find("fmc");
    const bool has_fmc = fmc != nullptr && !fmc->is_null();
    if (has_fmc != (product == snp::Product::turin)) {
      return Refusal{Errc::bad_value, parts.path_of("fmc"), has_fmc ? "null but on Turin" : "a number on Turin",
                     has_fmc ? fmc->type_name() : "none"};
    }
    if (has_fmc) tcb.fmc = TRY(octet_of(parts, "fmc"));
    std::ranges::copy(snp::encode_tcb(product, tcb), at(place).begin());
    return {};
  }

  Checked<void> put_version(const Place& place) {
    const Members parts = TRY(from.object(place.name));
    constexpr const char* kParts[] = {"build", "minor", "major"};
    for (std::size_t i = 0; i < std::size(kParts); ++i) at(place)[i] = TRY(octet_of(parts, kParts[i]));
    return {};
  }
};

Checked<snp::Product> product_of(const Conversion& conversion, std::uint64_t version) {
  // Version 2 names no CPU; there was no Turin yet, and Milan and Genoa have one TCB order.
  if (version < 3) return snp::Product::milan;
  return checked(snp::product_of(conversion.report[kCpuid[0].offset], conversion.report[kCpuid[1].offset]));
}

// The name of a certificate's kind, empty for {"OTHER": "<uuid>"}.
Checked<std::string_view> kind_of(const Members& element) {
  const json* type = TRY(element.required("cert_type"));
  if (type->is_object() && type->size() == 1 && type->contains("OTHER")) return std::string_view();
  const std::string_view name = TRY(element.text("cert_type"));
  constexpr std::string_view kKinds[] = {"ARK", "ASK", "VCEK", "VLEK", "CRL", "Empty"};
  if (std::ranges::find(kKinds, name) != std::end(kKinds)) return name;
  return Refusal{Errc::evidence_shape, element.path_of("cert_type"),
                 "ARK, ASK, VCEK, VLEK, CRL, Empty or {\"OTHER\": uuid}", verify::printable(name, 64)};
}

}  // namespace

Checked<ByteArray<snp::kReportBytes>> report_of_structure(const Members& report) {
  Conversion to{.from = report};
  constexpr Place kVersion{"version", 0x000, 4};
  TRY(to.put_number(report, kVersion));
  const std::uint64_t version = TRY(number_of(report, "version", 4));
  if (version != 2 && version != 3 && version != 5) {
    return Refusal{Errc::report_version, report.path_of("version"), "2, 3 or 5", std::to_string(version)};
  }
  for (const Place& place : kNumbers) TRY(to.put_number(report, place));
  for (const Place& place : kArrays) TRY(to.put_array(report, place));
  for (const Place& place : kCpuid) TRY(to.put_if(version >= 3, place));
  for (const Place& place : kMitigations) TRY(to.put_if(version >= 5, place));
  for (const Place& place : kVersions) TRY(to.put_version(place));
  const snp::Product product = TRY(product_of(to, version));
  for (const Place& place : kTcbs) TRY(to.put_tcb(product, place));
  const Members signature = TRY(report.object("signature"));
  for (const Place& place : kSignature) TRY(to.put_array(signature, place));
  return to.report;
}

Checked<std::vector<verify::Certificate>> certificates_of_chain(const json& chain, const std::string& path) {
  if (!chain.is_array()) return Refusal{Errc::json_type, path, "null or a list", chain.type_name()};
  if (chain.size() > kMaxChainCertificates) {
    return Refusal{Errc::too_large, path, "at most " + std::to_string(kMaxChainCertificates) + " certificates",
                   std::to_string(chain.size())};
  }
  std::vector<verify::Certificate> certificates;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Members element = TRY(Members::of(chain[i], path + "[" + std::to_string(i) + "]"));
    const std::string_view kind = TRY(kind_of(element));
    if (kind != "VCEK" && kind != "VLEK" && kind != "ASK") continue;
    const json* data = TRY(element.required("data"));
    if (data->is_array() && data->size() > verify::kMaxCertificateBytes) {
      return Refusal{Errc::too_large, element.path_of("data"),
                     "at most " + std::to_string(verify::kMaxCertificateBytes) + " octets",
                     std::to_string(data->size())};
    }
    std::vector<std::uint8_t> der(data->size());
    TRY(octets_at(*data, element.path_of("data"), der));
    std::vector<verify::Certificate> read =
        TRY(verify::Certificate::parse(der, element.path_of("data") + " (" + std::string(kind) + ")"));
    std::ranges::move(read, std::back_inserter(certificates));
  }
  return certificates;
}

}  // namespace attestbed::kbs
