// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/describe.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "tools/attestbed/evidence.h"

namespace attestbed::tools {
namespace {

using nlohmann::ordered_json;
using verify::hex_text;

constexpr std::uint32_t kFirstVersionWithCpuid = 3;
constexpr std::uint32_t kFirstVersionWithMitigations = 5;

struct Bit {
  unsigned number;
  const char* when_set;
  const char* when_clear;  // null: not worth a word
};

// 56860, POLICY: what the owner let the host do at launch.
constexpr Bit kPolicyBits[] = {
    {16, "SMT allowed", "SMT forbidden"},
    {18, "migration agent allowed", nullptr},
    {19, "DEBUG ALLOWED: the host can read the guest", "debug forbidden"},
    {20, "single socket only", nullptr},
    {21, "CXL allowed", nullptr},
    {22, "AES-256-XTS required", nullptr},
    {23, "RAPL must be off", nullptr},
    {24, "ciphertext hiding required", nullptr},
    {25, "page swap disabled", nullptr},
};
// 56860, PLATFORM_INFO. Bit 6 has no public name, though real hardware sets it.
constexpr Bit kPlatformBits[] = {
    {0, "SMT on", "SMT off"},
    {1, "TSME on", nullptr},
    {2, "ECC memory", nullptr},
    {3, "RAPL off", nullptr},
    {4, "ciphertext hiding on", nullptr},
    {5, "alias check complete", nullptr},
    {6, "bit 6 (not documented in public)", nullptr},
    {7, "SEV-TIO on", nullptr},
};

std::string words(std::uint64_t value, std::span<const Bit> bits) {
  std::string text;
  for (const auto& [number, when_set, when_clear] : bits) {
    const char* word = (value >> number & 1) != 0 ? when_set : when_clear;
    if (word != nullptr) text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

std::string hex64(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

ordered_json policy(std::uint64_t value) {
  char firmware[32];
  std::snprintf(firmware, sizeof firmware, "firmware ABI at least %u.%u, ", static_cast<unsigned>(value >> 8 & 0xff),
                static_cast<unsigned>(value & 0xff));
  return {{"value", hex64(value)}, {"means", firmware + words(value, kPolicyBits)}};
}

/// tcb_product is the product whose octet order a report's TCB versions have. Version 2 names none; Milan and Genoa
/// share an order, and no Turin firmware makes version 2.
std::optional<snp::Product> named_product(const snp::RawReport& report) {
  if (report.version < kFirstVersionWithCpuid) return std::nullopt;
  const Result<snp::Product> product = snp::product_of(report.cpuid_family, report.cpuid_model);
  return product ? std::optional(*product) : std::nullopt;
}

ordered_json tcb(const snp::TcbVersion& octets, snp::Product product) {
  const snp::Tcb parts = snp::decode_tcb(product, octets);
  ordered_json json{{"value", hex_text(octets)}};
  if (product == snp::Product::turin) json["fmc"] = parts.fmc;
  json["boot_loader"] = parts.boot_loader;
  json["tee"] = parts.tee;
  json["snp"] = parts.snp;
  json["microcode"] = parts.microcode;
  return json;
}

ordered_json key_flags(std::uint32_t flags) {
  const std::uint32_t key = snp::signing_key_bits(flags);
  const char* name = key == 0 ? "VCEK" : key == 1 ? "VLEK" : key == 7 ? "none (unsigned report)" : "reserved value";
  return {{"value", flags},
          {"signing_key", name},
          {"author_key_enabled", snp::author_key_enabled(flags)},
          {"chip_key_masked", snp::chip_key_masked(flags)}};
}

std::string firmware(const snp::FirmwareVersion& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + " build " +
         std::to_string(version.build);
}

ordered_json chip_id(const snp::ChipId& chip) {
  const bool masked = std::ranges::all_of(chip, [](std::uint8_t octet) { return octet == 0; });
  ordered_json json{{"value", hex_text(chip)}};
  if (masked) json["means"] = "masked, or signed by a VLEK";
  if (is_simulated_chip(chip)) json["means"] = "SIMULATED chip";
  return json;
}

}  // namespace

ordered_json describe_facts(const snp::RawReport& report) {
  return {{"vmpl", static_cast<std::uint32_t>(report.vmpl)},   {"policy", policy(report.policy)},
          {"debug", (report.policy & snp::kPolicyDebug) != 0}, {"measurement", hex_text(report.measurement)},
          {"report_data", hex_text(report.report_data)},       {"host_data", hex_text(report.host_data)}};
}

ordered_json describe(const snp::RawReport& report) {
  const std::optional<snp::Product> product = named_product(report);
  const snp::Product order = product.value_or(snp::Product::milan);
  ordered_json json;
  json["kind"] = "report";
  json["version"] = static_cast<std::uint32_t>(report.version);
  json["product"] = product ? snp::product_name(*product)
                    : report.version < kFirstVersionWithCpuid
                        ? "not named by version 2 (TCB shown in Milan's and Genoa's order)"
                        : "unknown family and model (TCB shown in Milan's order)";
  json["guest_svn"] = static_cast<std::uint32_t>(report.guest_svn);
  json["policy"] = policy(report.policy);
  json["family_id"] = hex_text(report.family_id);
  json["image_id"] = hex_text(report.image_id);
  json["vmpl"] = static_cast<std::uint32_t>(report.vmpl);
  json["signature_algo"] = {{"value", static_cast<std::uint32_t>(report.signature_algo)},
                            {"means", report.signature_algo == 1 ? "ECDSA P-384 with SHA-384" : "unknown"}};
  json["current_tcb"] = tcb(report.current_tcb, order);
  json["platform_info"] = {{"value", hex64(report.platform_info)},
                           {"means", words(report.platform_info, kPlatformBits)}};
  json["key_flags"] = key_flags(report.key_flags);
  json["report_data"] = hex_text(report.report_data);
  json["measurement"] = hex_text(report.measurement);
  json["host_data"] = hex_text(report.host_data);
  json["id_key_digest"] = hex_text(report.id_key_digest);
  json["author_key_digest"] = hex_text(report.author_key_digest);
  json["report_id"] = hex_text(report.report_id);
  json["report_id_ma"] = hex_text(report.report_id_ma);
  json["reported_tcb"] = tcb(report.reported_tcb, order);
  if (report.version >= kFirstVersionWithCpuid) {
    const std::uint8_t cpuid[] = {report.cpuid_family, report.cpuid_model, report.cpuid_step};
    json["cpuid"] = {{"value", hex_text(cpuid)},
                     {"family", report.cpuid_family},
                     {"model", report.cpuid_model},
                     {"stepping", report.cpuid_step}};
  }
  json["chip_id"] = chip_id(report.chip_id);
  json["committed_tcb"] = tcb(report.committed_tcb, order);
  json["current_firmware"] = firmware(report.current);
  json["committed_firmware"] = firmware(report.committed);
  json["launch_tcb"] = tcb(report.launch_tcb, order);
  if (report.version >= kFirstVersionWithMitigations) {
    json["launch_mit_vector"] = hex64(report.launch_mit_vector);
    json["current_mit_vector"] = hex64(report.current_mit_vector);
  }
  json["signature_r"] = hex_text(report.signature.r);
  json["signature_s"] = hex_text(report.signature.s);
  return json;
}

ordered_json describe(const verify::Certificate& certificate) {
  ordered_json json{{"kind", verify::kind_name(certificate.kind())},
                    {"source", verify::printable(certificate.source(), 400)},
                    {"subject", certificate.subject()},
                    {"issuer", certificate.issuer()},
                    {"not_before", verify::time_text(certificate.not_before())},
                    {"not_after", verify::time_text(certificate.not_after())}};
  if (certificate.kind() != verify::Certificate::Kind::vcek && certificate.kind() != verify::Certificate::Kind::vlek) {
    return json;
  }
  const verify::Checked<verify::VekExtensions>& extensions = certificate.vek_extensions();
  if (!extensions) {
    json["extensions_error"] = extensions.error().text();
    return json;
  }
  json["struct_version"] = extensions->struct_version;
  json["product_name"] = extensions->product_name;
  json["tcb"] = tcb(snp::encode_tcb(extensions->product, extensions->tcb), extensions->product);
  if (!extensions->hardware_id.empty()) json["hardware_id"] = hex_text(extensions->hardware_id);
  if (!extensions->csp_id.empty()) json["csp_id"] = extensions->csp_id;
  return json;
}

ordered_json describe(const verify::Crl& crl) {
  return {{"kind", "CRL"},
          {"source", verify::printable(crl.source(), 400)},
          {"issuer", crl.issuer()},
          {"this_update", verify::time_text(crl.this_update())},
          {"next_update", verify::time_text(crl.next_update())},
          {"revoked", crl.revoked()}};
}

std::string as_text(const ordered_json& description) {
  const auto plain = [](const ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  std::string text;
  for (const auto& [name, field] : description.items()) {
    text += name + std::string(name.size() < 20 ? 20 - name.size() : 1, ' ');
    if (field.is_array()) {
      text += std::to_string(field.size()) + "\n";
      for (const ordered_json& element : field) {
        for (const auto& [part, value] : element.items()) text += "  " + part + "=" + plain(value);
        text += "\n";
      }
      continue;
    }
    if (!field.is_object()) {
      text += plain(field) + "\n";
      continue;
    }
    text += plain(field.at("value"));
    for (const auto& [part, value] : field.items()) {
      if (part == "means") text += "  (" + plain(value) + ")";
      if (part != "means" && part != "value") text += "  " + part + "=" + plain(value);
    }
    text += "\n";
  }
  return text;
}

}  // namespace attestbed::tools
