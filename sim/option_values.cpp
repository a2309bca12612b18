// SPDX-License-Identifier: Apache-2.0
#include "sim/option_values.h"

#include <charconv>

#include "core/posix/describe.h"

namespace attestbed::sim {
namespace {

std::optional<snp::FirmwareVersion> read_version(std::string_view text) {
  snp::FirmwareVersion version{};
  for (std::uint8_t* part : {&version.major, &version.minor, &version.build}) {
    const bool last = part == &version.build;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *part);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (last ? !text.empty() : !text.starts_with('.')) return std::nullopt;
    if (!last) text.remove_prefix(1);
  }
  return version;
}

}  // namespace

/// hex_into fills a fixed field from at most as much hex; what is missing at the end is zero.
std::string hex_into(const std::string& text, MutBytes field) {
  std::string octets;
  if (!posix::from_hex(text, octets)) return "must be hex";
  if (octets.size() > field.size()) return "must be at most " + std::to_string(2 * field.size()) + " hex digits";
  std::copy(octets.begin(), octets.end(), field.begin());
  return {};
}

std::string hex_number(std::string value, std::uint64_t& into) {
  if (value.starts_with("0x")) value.erase(0, 2);
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into, 16);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  return whole ? "" : "must be a 64-bit hex number";
}

CLI::Option* add_checked(CLI::App* app, const std::string& name, const std::string& help, const std::string& type,
                         std::function<std::string(const std::string&)> parse) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, parse = std::move(parse)](const std::string& value) {
            const std::string wrong = parse(value);
            if (!wrong.empty()) throw CLI::ValidationError(name, wrong + ", found \"" + value + "\"");
          },
          help)
      ->type_name(type);
}

CLI::Option* add_tcb(CLI::App* app, const std::string& name, const std::string& help, TcbChange& into) {
  return add_checked(app, name, help, "bl=N,…", [&into](const std::string& value) {
    const auto change = parse_tcb_change(value);
    if (change) into = *change;
    return std::string(change ? ""
                              : "must be levels of 0 to 255 such as bl=4,tee=0,snp=24,ucode=219, on Turin fmc=0 too");
  });
}

CLI::Option* add_version(CLI::App* app, const std::string& name, const std::string& help,
                         std::optional<snp::FirmwareVersion>& into) {
  return add_checked(app, name, help, "MAJOR.MINOR.BUILD", [&into](const std::string& value) {
    into = read_version(value);
    return std::string(into ? "" : "must be three numbers of 0 to 255 such as 1.55.29");
  });
}

}  // namespace attestbed::sim
