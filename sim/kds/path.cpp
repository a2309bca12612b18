// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/path.h"

#include <charconv>
#include <string>

#include "core/posix/describe.h"

namespace attestbed::sim {
namespace {

using What = KdsAsk::What;

constexpr std::size_t kMaxLevelDigits = 3;

struct Level {
  const char* name;
  std::uint8_t snp::Tcb::*part;
  bool turin_only;
};
constexpr Level kLevels[] = {{"fmcSPL", &snp::Tcb::fmc, true},
                             {"blSPL", &snp::Tcb::boot_loader, false},
                             {"teeSPL", &snp::Tcb::tee, false},
                             {"snpSPL", &snp::Tcb::snp, false},
                             {"ucodeSPL", &snp::Tcb::microcode, false}};

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

std::optional<snp::Product> product_in_path(std::string_view name) {
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    if (name == snp::product_name(product)) return product;
  }
  return std::nullopt;
}

std::optional<std::vector<std::uint8_t>> hardware_id(std::string_view hex, snp::Product product) {
  const std::size_t bytes = product == snp::Product::turin ? 8 : sizeof(snp::ChipId);
  std::string octets;
  const bool lower_case = hex.find_first_of("ABCDEF") == std::string_view::npos;
  if (hex.size() != 2 * bytes || !lower_case || !posix::from_hex(hex, octets)) return std::nullopt;
  return std::vector<std::uint8_t>(octets.begin(), octets.end());
}

std::optional<std::uint8_t> level(std::string_view digits) {
  std::uint8_t value = 0;
  if (digits.empty() || digits.size() > kMaxLevelDigits) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<snp::Tcb> tcb_in_query(std::string_view query, snp::Product product) {
  snp::Tcb tcb;
  bool seen[std::size(kLevels)] = {};
  if (query.ends_with('&')) return std::nullopt;
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    const std::string_view name = take_until(value, '=');
    const std::optional<std::uint8_t> read = level(value);
    bool known = false;
    for (std::size_t i = 0; i < std::size(kLevels); ++i) {
      if (name != kLevels[i].name) continue;
      if (seen[i] || !read) return std::nullopt;
      known = seen[i] = true;
      tcb.*kLevels[i].part = *read;
    }
    if (!known) return std::nullopt;
  }
  for (std::size_t i = 0; i < std::size(kLevels); ++i) {
    if (seen[i] != (!kLevels[i].turin_only || product == snp::Product::turin)) return std::nullopt;
  }
  return tcb;
}

}  // namespace

std::optional<KdsAsk> parse_kds_target(std::string_view target) {
  if (target.size() > kMaxKdsTargetBytes) return std::nullopt;
  VekLine line = VekLine::vcek;
  if (take(target, "/vlek/v1/")) {
    line = VekLine::vlek;
  } else if (!take(target, "/vcek/v1/")) {
    return std::nullopt;
  }
  const std::optional<snp::Product> product = product_in_path(take_until(target, '/'));
  if (!product) return std::nullopt;
  if (target == "cert_chain") return KdsAsk{What::cert_chain, line, *product, {}, {}};
  if (target == "crl") return KdsAsk{What::crl, line, *product, {}, {}};
  const std::string_view name = take_until(target, '?');
  if (line == VekLine::vlek) {
    if (name != "cert") return std::nullopt;
    return KdsAsk{What::vlek, line, *product, {}, {}};
  }
  std::optional<std::vector<std::uint8_t>> id = hardware_id(name, *product);
  const std::optional<snp::Tcb> tcb = tcb_in_query(target, *product);
  if (!id || !tcb) return std::nullopt;
  return KdsAsk{What::vcek, line, *product, *std::move(id), *tcb};
}

}  // namespace attestbed::sim
