// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/policy_value.h"

#include <charconv>
#include <sstream>

#include "core/posix/describe.h"

namespace attestbed::tools {

using verify::Checked;
using verify::Refusal;

namespace {

constexpr std::size_t kChipIdBytes = 64, kTurinChipIdBytes = 8;

/// octet_of reads a decimal number of 0..255 without sign or leading zero.
std::optional<std::uint8_t> octet_of(std::string_view text) {
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

}  // namespace

Refusal PolicyValue::refuse(std::string expected, std::string found) const {
  return {Errc::bad_config, path_ + ":" + std::to_string(node_.source().begin.line) + ": " + key_, std::move(expected),
          std::move(found)};
}

std::string PolicyValue::type() const {
  std::ostringstream text;
  text << node_.type();
  return text.str();
}

Checked<bool> PolicyValue::flag() const {
  const auto* flag = node_.as_boolean();
  if (flag == nullptr) return refuse("true or false", type());
  return flag->get();
}

Checked<std::uint64_t> PolicyValue::number(std::uint64_t least, std::uint64_t most) const {
  const std::string expected = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  const auto* number = node_.as_integer();
  if (number == nullptr) return refuse(expected, type());
  const std::int64_t value = number->get();
  if (value < 0 || static_cast<std::uint64_t>(value) < least || static_cast<std::uint64_t>(value) > most) {
    return refuse(expected, std::to_string(value));
  }
  return static_cast<std::uint64_t>(value);
}

Checked<std::string> PolicyValue::text() const {
  const auto* text = node_.as_string();
  if (text == nullptr) return refuse("a string", type());
  return text->get();
}

Checked<verify::VersionBound> PolicyValue::version() const {
  const std::string text = TRY(this->text());
  const std::size_t dot = text.find('.');
  const std::optional<std::uint8_t> major = octet_of(std::string_view(text).substr(0, dot));
  const std::optional<std::uint8_t> minor =
      dot == std::string::npos ? std::nullopt : octet_of(std::string_view(text).substr(dot + 1));
  if (!major || !minor) return refuse("a version as \"1.55\"", "\"" + verify::printable(text, 40) + "\"");
  return verify::VersionBound{*major, *minor};
}

Checked<snp::Tcb> PolicyValue::tcb() const {
  constexpr char kForm[] = "a table of fmc, boot_loader, tee, snp and microcode";
  const auto* table = node_.as_table();
  if (table == nullptr) return refuse(kForm, type());
  constexpr struct {
    const char* name;
    std::uint8_t snp::Tcb::*level;
  } kComponents[] = {{"fmc", &snp::Tcb::fmc},
                     {"boot_loader", &snp::Tcb::boot_loader},
                     {"tee", &snp::Tcb::tee},
                     {"snp", &snp::Tcb::snp},
                     {"microcode", &snp::Tcb::microcode}};
  if (table->empty()) return refuse("at least one component", "an empty table, which would ask nothing");
  snp::Tcb tcb;
  for (const auto& [name, value] : *table) {
    const auto* const component =
        std::ranges::find(kComponents, name.str(), [](const auto& one) { return std::string_view(one.name); });
    const PolicyValue inner(path_, key_ + "." + verify::printable(name.str(), 40), value);
    if (component == std::end(kComponents)) return inner.refuse(kForm, "another key");
    tcb.*component->level = static_cast<std::uint8_t>(TRY(inner.number(0, 255)));
  }
  return tcb;
}

Checked<std::vector<std::uint8_t>> PolicyValue::octets(std::size_t size) const {
  const std::string text = TRY(this->text());
  std::string octets;
  if (text.size() != 2 * size || !posix::from_hex(text, octets)) {
    return refuse(std::to_string(2 * size) + " hexadecimal digits",
                  std::to_string(text.size()) + " characters: \"" + verify::printable(text, 24) + "\"");
  }
  return std::vector<std::uint8_t>(octets.begin(), octets.end());
}

Checked<snp::ChipId> PolicyValue::chip_id() const {
  const auto* text = node_.as_string();
  const bool turin = text != nullptr && text->get().size() == 2 * kTurinChipIdBytes;
  const std::vector<std::uint8_t> octets = TRY(this->octets(turin ? kTurinChipIdBytes : kChipIdBytes));
  snp::ChipId chip{};
  std::ranges::copy(octets, chip.begin());
  return chip;
}

}  // namespace attestbed::tools
